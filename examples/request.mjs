// A question over a message, and its answer.
// npm start; node examples/request.mjs [namesrv]
import process from 'node:process'
import { Producer, PushConsumer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleQuestions'

const replier = new Producer({ namesrv, group: 'example-repliers' })
await replier.start()
const consumer = new PushConsumer({ namesrv, group: 'example-answers', from: 'first' }).subscribe(topic)
await consumer.run((question) => replier.reply(question, { body: question.body.toString().toUpperCase() }))

const asker = new Producer({ namesrv, group: 'example-askers' })
await asker.start()
const { body } = await asker.request({ topic, body: 'how are you' }, { timeoutMs: 30_000 })
console.log(`answered: ${body.toString()}`)

await asker.close()
await consumer.close()
await replier.close()
