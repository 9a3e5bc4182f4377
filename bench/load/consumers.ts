/**
 * Push consumers as a process: NAMESRV TOPIC CONSUMERS MEMBERS_OF_A_GROUP, from the end of the topic. Prints
 * `{"begin":"consume"}` once all run, and stays until it is told to end.
 */
import { PushConsumer } from '../../src/client/index.ts'

/** Consumers that start at the same time. */
const STARTING = 100

const [namesrv = '', topic = '', ...counts] = process.argv.slice(2)
const [consumers = 0, members = 1] = counts.map(Number)
const all = Array.from({ length: consumers }, (_, at) =>
  new PushConsumer({ namesrv, group: `consumers-${Math.floor(at / members)}`, from: 'last' }).subscribe(topic),
)
const taken = (): Promise<void> => Promise.resolve()
for (let at = 0; at < all.length; at += STARTING) {
  await Promise.all(all.slice(at, at + STARTING).map((consumer) => consumer.run(taken)))
}
process.stdout.write(`${JSON.stringify({ begin: 'consume' })}\n`)
