// What became of a message: who sent it, who handled it (RocketMQ's message trace; `raftmq message trace`, `mqadmin queryMsgTraceById`).
// npm start; node examples/trace.mjs [namesrv]
import process from 'node:process'
import { AdminConnection, Producer, PushConsumer, traceOf } from 'raftmq/client'

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleParcels'

const producer = new Producer({ namesrv, group: 'example-senders', trace: true })
await producer.start()
const { messageId } = await producer.send({ topic, body: 'parcel 7', keys: 'parcel-7' })

const consumer = new PushConsumer({ namesrv, group: 'example-couriers', from: 'first', trace: true }).subscribe(topic)
let finish
const finished = new Promise((resolve) => (finish = resolve))
await consumer.run(() => finish())
await finished
await consumer.close()
await producer.close()

const admin = new AdminConnection({ namesrv })
let events = []
// The rows are found once they are indexed.
while (events.length < 3) events = await traceOf(admin, messageId)
for (const { what, group, isSuccess } of events) console.log(`${what}: ${group}${isSuccess ? ', well' : ''}`)
admin.close()
