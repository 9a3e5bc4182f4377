// Several messages in one request: they are stored together, at places one after the other, or not at all.
// npm start; node examples/batch.mjs [namesrv]
import process from 'node:process'
import { Producer, PullConsumer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleReceipts'

const producer = new Producer({ namesrv, group: 'example-tills' })
await producer.start()
const items = ['bread', 'milk', 'salt']
const results = await producer.sendBatch(items.map((item) => ({ topic, body: item, keys: 'receipt-1' })))
const places = results.map(({ queueOffset }) => queueOffset - results[0].queueOffset)
console.log(`stored at: ${places.join(', ')} behind the first`)
await producer.close()

const consumer = new PullConsumer({ namesrv, group: 'example-books', from: 'first' }).subscribe(topic)
const booked = []
while (booked.length < items.length) {
  for (const message of await consumer.poll()) booked.push(message.body.toString())
}
console.log(`booked: ${booked.join(', ')}`)
await consumer.close()
