// Messages for a time of their own, and one that is taken back.
// npm start; node examples/delay.mjs [namesrv]
import process from 'node:process'
import { Producer, PushConsumer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleReminders'

const producer = new Producer({ namesrv, group: 'example-reminders' })
await producer.start()
await producer.send({ topic, body: 'in two seconds', delayMs: 2_000 })
await producer.send({ topic, body: 'at a time', deliverAt: new Date(Date.now() + 1_000) })
const { recallHandle } = await producer.send({ topic, body: 'never', delayMs: 1_500 })
await producer.recall({ topic, recallHandle })

const consumer = new PushConsumer({ namesrv, group: 'example-readers', from: 'first' }).subscribe(topic)
let count = 0
let finish
const finished = new Promise((resolve) => (finish = resolve))
await consumer.run((message) => {
  console.log(`delivered: ${message.body.toString()}`)
  if (++count === 2) finish()
})
await finished
await consumer.close()
await producer.close()
