// RaftMQ's own client against any name server: one line for each thing that an application sees. Arguments: name server,
// a topic of one queue, a prefix for groups.
import { Producer, PushConsumer, sql, tag, TransactionProducer } from '../../../dist/client/index.js'

const [namesrv, topic, prefix] = process.argv.slice(2)
const WITHIN_MS = 20_000

const told = ({ status, queueOffset, messageId, offsetMessageId, recallHandle }) =>
  `${status} @${queueOffset} ids=${messageId.length}/${offsetMessageId.length} recall=${recallHandle !== undefined}`

const sorted = (texts) => [...texts].toSorted((a, b) => (a < b ? -1 : 1))

const seen = (message) => {
  const { body, tag: tags, keys, reconsumeTimes, queueOffset, properties, flag } = message
  const names = sorted(properties.keys()).join(',')
  return `${body} tag=${tags} keys=${keys} flag=${flag} times=${reconsumeTimes} @${queueOffset} ${names}`
}

/** What comes until it is `count` messages, a line for each. */
async function consumed(name, filter, count) {
  const lines = []
  const consumer = new PushConsumer({ namesrv, group: `${prefix}-${name}`, from: 'first' }).subscribe(topic, filter)
  await consumer.run((message) => void lines.push(seen(message)))
  const endMs = Date.now() + WITHIN_MS
  while (lines.length < count && Date.now() < endMs) await new Promise((resolve) => setTimeout(resolve, 100))
  await new Promise((resolve) => setTimeout(resolve, 500))
  await consumer.close()
  return sorted(lines).map((line) => `${name}: ${line}`)
}

const producer = new Producer({ namesrv, group: `${prefix}-producers` })
await producer.start()
for (const at of [0, 1, 2]) {
  const message = { topic, body: `plain-${at}`, tag: at === 1 ? 'B' : 'A', keys: [`k-${at}`, 'all'], flag: at }
  console.log(`send ${at}: ${told(await producer.send(message))}`)
}
console.log(`property: ${told(await producer.send({ topic, body: 'p', properties: { colour: 'green' } }))}`)
for (const when of [{ delayLevel: 1 }, { delayMs: 2_000 }, { deliverAt: new Date(Date.now() + 3_000) }]) {
  const kind = Object.keys(when)[0]
  const { status, recallHandle } = await producer.send({ topic, body: kind, tag: 'late', ...when })
  console.log(`${kind}: ${status} recall=${recallHandle !== undefined}`)
}
const illegal = await producer.send({ topic: 'a b', body: 'x' }).catch((error) => error)
console.log(`illegal topic: ${illegal.code}`)
await producer.close()

const transactions = new TransactionProducer({ namesrv, group: `${prefix}-transactions`, check: () => 'commit' })
await transactions.start()
for (const state of ['commit', 'rollback']) {
  const result = await transactions.send({ topic, body: state, tag: 'paid' }, () => state)
  console.log(`transaction ${state}: ${result.status}`)
}
await transactions.close()

const came = await Promise.all([
  consumed('tagged', tag('A'), 2),
  consumed('two-tags', tag('A', 'B'), 3),
  consumed('late', tag('late'), 3),
  consumed('paid', tag('paid'), 1),
  consumed('sql', sql("colour = 'green'"), 1),
])
for (const line of came.flat()) console.log(line)
process.exit(0)
