/**
 * Our own client as a load program, with the arguments and the lines of the others (`workloads.ts`):
 * NAMESRV TOPIC WORKLOAD…
 */
import { Producer } from '../../src/client/index.ts'
import { sleep, systemClock as clock } from '../../src/lib/clock.ts'
import { SendLoad } from '../../src/load/send-load.ts'
import { readWorkloadArgument, type Workload } from './workloads.ts'

const [namesrv = '', topic = '', ...workloads] = process.argv.slice(2)

for (const text of workloads) await measure(readWorkloadArgument(text))

async function measure({ name, clients, inFlight, bodyBytes, ratePerSecond, ...time }: Workload): Promise<void> {
  const producers = Array.from(
    { length: clients },
    () => new Producer({ namesrv, group: 'own_load', maxInFlight: inFlight, compressOverBytes: Infinity, clock }),
  )
  const message = { topic, body: Buffer.alloc(bodyBytes, 'x') }
  for (const producer of producers) {
    await producer.start()
    await producer.send(message)
  }
  const load = (): SendLoad => new SendLoad({ clock, producers, inFlight, ratePerSecond, message: () => message })
  const warming = load()
  await sleep(clock, time.warmSeconds * 1_000)
  await warming.stop()
  const measured = load()
  say({ begin: name })
  await sleep(clock, time.seconds * 1_000)
  const { acknowledged, failed, undecided, seconds, latencyMs } = measured.report()
  say({ end: name, messages: acknowledged, failed: failed + undecided, seconds, ...latencyMs })
  await measured.stop()
  await Promise.all(producers.map((producer) => producer.close()))
}

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}
