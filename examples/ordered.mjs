// Messages with one key stay in order.
// npm start; node examples/ordered.mjs [namesrv]
import process from 'node:process'
import { Producer, PushConsumer } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleAccounts'

const producer = new Producer({ namesrv, group: 'example-accounts' })
await producer.start()
for (const step of ['opened', 'filled', 'emptied']) {
  for (const shardingKey of ['alice', 'bob']) await producer.send({ topic, body: step, keys: shardingKey, shardingKey })
}

const consumer = new PushConsumer({ namesrv, group: 'example-audit', from: 'first', ordered: true }).subscribe(topic)
let count = 0
let finish
const finished = new Promise((resolve) => (finish = resolve))
await consumer.run((message) => {
  console.log(`${message.keys[0]}: ${message.body.toString()}`)
  if (++count === 6) finish()
})
await finished
await consumer.close()
await producer.close()
