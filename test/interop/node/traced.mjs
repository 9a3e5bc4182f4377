// RaftMQ's own client with a message trace: what a stock mqadmin is to find. Arguments: name server, a topic of one queue,
// a prefix for groups. Prints the ids of its messages as JSON.
import { Producer, PushConsumer, TransactionProducer } from '../../../dist/client/index.js'

const [namesrv, topic, prefix] = process.argv.slice(2)
const WITHIN_MS = 20_000

const producer = new Producer({ namesrv, group: `${prefix}-sends`, trace: true })
await producer.start()
const sent = await producer.send({ topic, body: 'traced', keys: 'traced', tag: 'A' })
const late = await producer.send({ topic, body: 'late', delayMs: 600_000 })
await producer.recall({ topic, recallHandle: late.recallHandle })

const transactions = new TransactionProducer({ namesrv, group: `${prefix}-ends`, trace: true, check: () => 'unknown' })
await transactions.start()
const committed = await transactions.send({ topic, body: 'committed' }, () => 'commit')

const handled = new Set()
const consumer = new PushConsumer({ namesrv, group: `${prefix}-handles`, from: 'first', trace: true }).subscribe(topic)
await consumer.run((message) => void handled.add(message.messageId))
const endMs = Date.now() + WITHIN_MS
while (handled.size < 2 && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 100))
await Promise.all([producer.close(), transactions.close(), consumer.close()])
console.log(JSON.stringify({ sent: sent.messageId, committed: committed.messageId, recalled: late.messageId }))
