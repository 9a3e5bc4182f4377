// A program that takes messages at its own pace: it polls, seeks and commits.
// npm start; node examples/pull.mjs [namesrv]
import process from 'node:process'
import { Producer, PullConsumer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleReadings'

const producer = new Producer({ namesrv, group: 'example-meters' })
await producer.start()
for (const body of ['20 °C', '21 °C', '22 °C']) await producer.send({ topic, body, shardingKey: 'kitchen' })

const consumer = new PullConsumer({ namesrv, group: 'example-reports', from: 'first', autoCommit: false })
consumer.assign(await consumer.queues(topic))
const readings = []
while (readings.length < 3) readings.push(...(await consumer.poll({ timeoutMs: 1_000 })))
for (const message of readings) console.log(`read: ${message.body.toString()}`)

// Once more from the second one on.
await consumer.seek(readings[1], readings[1].queueOffset)
for (const message of await consumer.poll()) console.log(`again: ${message.body.toString()}`)
await consumer.commit()

await consumer.close()
await producer.close()
