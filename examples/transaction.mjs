// A message that is delivered if, and only if, something else succeeded.
// npm start; node examples/transaction.mjs [namesrv]
import process from 'node:process'
import { PushConsumer, TransactionProducer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExamplePayments'
// Stands for a database: what was paid.
const paid = new Set()

const producer = new TransactionProducer({
  namesrv,
  group: 'example-payments',
  // Asked for what was left open, here or in another process of the group: only what both can see counts.
  check: (message) => (paid.has(message.body.toString()) ? 'commit' : 'rollback'),
})
await producer.start()
await producer.send({ topic, body: 'order-1' }, () => {
  paid.add('order-1')
  return 'commit'
})
await producer.send({ topic, body: 'order-2' }, () => 'rollback')

const consumer = new PushConsumer({ namesrv, group: 'example-shipping', from: 'first' }).subscribe(topic)
let finish
const finished = new Promise((resolve) => (finish = resolve))
await consumer.run((message) => {
  console.log(`paid: ${message.body.toString()}`)
  finish()
})
await finished
await consumer.close()
await producer.close()
