// An ordered consumer of RaftMQ's own client: a JSON line for each message that its handler is given, until it is stopped.
// Arguments: name server, topic, group.
import { PushConsumer } from '../../../dist/client/index.js'

const [namesrv, topic, group] = process.argv.slice(2)

const consumer = new PushConsumer({ namesrv, group, from: 'first', ordered: true }).subscribe(topic)
await consumer.run(({ body, queueId, queueOffset }) => {
  console.log(JSON.stringify({ t: Date.now(), body: body.toString(), queueId, queueOffset }))
})
process.once('SIGTERM', () => void consumer.close().finally(() => process.exit(0)))
