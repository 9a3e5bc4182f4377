/**
 * Our own client as a load program, with the arguments and the lines of the others (`workload.ts`):
 * NAMESRV TOPIC WORKLOAD… A topic `NAME*N` is N topics, `NAME-0` to `NAME-(N-1)`, sent to in turns.
 */
import { Producer } from '../../src/client/index.ts'
import { sleep, systemClock as clock } from '../../src/lib/clock.ts'
import { SendLoad } from '../../src/load/send-load.ts'
import { topicNames } from './topic-names.ts'
import { readWorkloadArgument, type Workload } from './workload.ts'

/** Producers of one workload that are made ready at the same time. */
const STARTING = 50

const [namesrv = '', topic = '', ...workloads] = process.argv.slice(2)
const messages = topicNames(topic)
let producers: readonly Producer[] = []
let inFlightEach = 0

for (const text of workloads) await measure(readWorkloadArgument(text))
await closeAll()

async function measure({
  name,
  clients,
  inFlight,
  bodyBytes,
  ratePerSecond,
  consume,
  ...time
}: Workload): Promise<void> {
  if (consume !== undefined) throw new Error(`${name}: this program only sends`)
  await haveProducers(clients, inFlight)
  const body = Buffer.alloc(bodyBytes, 'x')
  const all = messages.map((one) => ({ topic: one, body }))
  const [first = { topic, body }] = all
  const message = (producer: number, sequence: number) => all[(producer + sequence) % all.length] ?? first
  const load = (): SendLoad => new SendLoad({ clock, producers, inFlight, ratePerSecond, message })
  const warming = load()
  await sleep(clock, time.warmSeconds * 1_000)
  await warming.stop()
  const measured = load()
  say({ begin: name })
  await sleep(clock, time.seconds * 1_000)
  const { acknowledged, failed, undecided, seconds, latencyMs } = measured.report()
  say({ end: name, messages: acknowledged, failed: failed + undecided, seconds, ...latencyMs })
  await measured.stop()
}

/** Those of the workload before, if they fit; otherwise new ones, each connected and with the routes it needs. */
async function haveProducers(clients: number, inFlight: number): Promise<void> {
  if (producers.length === clients && inFlightEach === inFlight) return
  await closeAll()
  inFlightEach = inFlight
  producers = Array.from(
    { length: clients },
    () =>
      new Producer({
        namesrv,
        group: 'own_load',
        maxInFlight: inFlight,
        maxTopics: messages.length + 1,
        compressOverBytes: Infinity,
        clock,
      }),
  )
  const body = Buffer.from('first')
  for (let at = 0; at < producers.length; at += STARTING) {
    await Promise.all(
      producers.slice(at, at + STARTING).map(async (producer) => {
        await producer.start()
        for (const one of messages) await producer.send({ topic: one, body })
      }),
    )
  }
}

async function closeAll(): Promise<void> {
  await Promise.all(producers.map((producer) => producer.close()))
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
