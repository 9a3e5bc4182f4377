// A slow consumer holds no more than it said, and finishes what it began when it closes; the next one has the rest.
// npm start; node examples/shutdown.mjs [namesrv]
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { Producer, PushConsumer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleBoxes'
const sent = 20

const producer = new Producer({ namesrv, group: 'example-belt' })
await producer.start()
await producer.sendBatch(Array.from({ length: sent }, (_, at) => ({ topic, body: `box ${at}` })))
await producer.close()

// Pulling of a queue pauses at either limit, until handlers have made room.
const options = { namesrv, group: 'example-packers', from: 'first', maxMessagesPerQueue: 8, maxBytesPerQueue: 65_536 }
const consumer = new PushConsumer({ ...options, concurrency: 2, closeTimeoutMs: 5_000 }).subscribe(topic)
const packed = new Set()
let begun = 0
let stop
const stopped = new Promise((resolve) => (stop = resolve))
await consumer.run(async (message) => {
  begun += 1
  if (begun === 5) stop()
  await sleep(50)
  packed.add(message.body.toString())
})
await stopped
// In a program: process.once('SIGTERM', () => consumer.close())
await consumer.close()
console.log(`closed: ${begun - packed.size} handlers were cut off`)

const next = new PushConsumer(options).subscribe(topic)
await new Promise((resolve) => {
  void next.run((message) => {
    packed.add(message.body.toString())
    if (packed.size === sent) resolve()
  })
})
await next.close()
console.log(`packed: ${packed.size} of ${sent}`)
