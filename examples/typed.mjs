// Payloads with a type: JSON that is checked on its way in.
// npm start; node examples/typed.mjs [namesrv]
import process from 'node:process'
import { json, Producer, PushConsumer, TypedTopic } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'

function payment(value) {
  if (typeof value?.amount !== 'number') throw new Error('a payment has an amount')
  return value
}
const payments = new TypedTopic('ExampleTypedPayments', json(payment))

const producer = new Producer({ namesrv, group: 'example-tills' })
await producer.start()
await producer.send(payments.message({ amount: 12.5, currency: 'CHF' }, { keys: 'till-1' }))

const consumer = new PushConsumer({ namesrv, group: 'example-books', from: 'first' }).subscribe(payments.name)
let finish
const finished = new Promise((resolve) => (finish = resolve))
await consumer.run(
  payments.handler(({ amount, currency }) => {
    console.log(`booked: ${amount} ${currency}`)
    finish()
  }),
)
await finished
await consumer.close()
await producer.close()
