// Only some of the messages: by tag, and by SQL over properties (enablePropertyFilter, on in a local cluster).
// npm start; node examples/filter.mjs [namesrv]
import process from 'node:process'
import { Producer, PushConsumer, sql, tag } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleOffers'

const producer = new Producer({ namesrv, group: 'example-offers' })
await producer.start()
const payments = [
  { amount: '80', tag: 'card' },
  { amount: '120', tag: 'card' },
  { amount: '900', tag: 'cash' },
]
for (const { amount, tag: kind } of payments) {
  await producer.send({ topic, body: `${kind} ${amount}`, tag: kind, properties: { amount } })
}

async function takeOne(group, filter) {
  const consumer = new PushConsumer({ namesrv, group, from: 'first' }).subscribe(topic, filter)
  await new Promise((resolve) => {
    void consumer.run((message) => {
      console.log(`${group}: ${message.body.toString()}`)
      resolve()
    })
  })
  await consumer.close()
}

await takeOne('example-cash', tag('cash', 'cheque'))
await takeOne('example-between', sql("amount BETWEEN 100 AND 500 AND TAGS = 'card'"))
await producer.close()
