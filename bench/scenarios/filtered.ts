/** Scenario `filtered`: messages pulled through an SQL92 filter, against the same without one. */
import { Producer, PushConsumer, sql, type Filter } from '../../src/client/index.ts'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { ConsumeLoad } from '../../src/load/consume-load.ts'
import { SendLoad } from '../../src/load/send-load.ts'
import { burdenedMetrics, largestMegabytes } from '../burden.ts'
import { NodeCluster, TOPIC } from '../node-cluster.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'

const MESSAGES = 500_000
const QUICK_MESSAGES = 20_000
const RUNS = 3
const IN_FLIGHT = 4_096
const WITHIN_MS = 120_000

/** Of every message; all fulfil the filter, so that the same is delivered with it and without. */
const properties = { amount: '500', country: 'CH', kind: 'order', name: 'somebody' }
const FIVE_TERMS =
  "amount BETWEEN 100 AND 900 AND country IN ('CH', 'AT') AND kind <> 'offer' AND name IS NOT NULL AND name STARTSWITH 'some'"

export const filtered: Scenario = {
  name: 'filtered',
  title:
    'own push consumer from the start of a topic through an SQL92 filter of five terms, against the same without, 128 B',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const cluster = await NodeCluster.start({ nodes: 3, dir: bench.dir, flush: 'async' })
  try {
    const stored = await fill(cluster.namesrv, bench.isQuick ? QUICK_MESSAGES : MESSAGES)
    bench.say(`${stored} messages stored`)
    const without: number[] = []
    const through: number[] = []
    let before: number | undefined
    for (let run = 0; run < (bench.isQuick ? 1 : RUNS); run++) {
      without.push(await consume(cluster.namesrv, { group: `all-${run}`, filter: '*', stored }))
      before ??= largestMegabytes(cluster)
      through.push(await consume(cluster.namesrv, { group: `sql-${run}`, filter: sql(FIVE_TERMS), stored }))
      bench.say(`${Math.round(without.at(-1) ?? 0)}/s without, ${Math.round(through.at(-1) ?? 0)}/s with the filter`)
    }
    const megabytes = [before, largestMegabytes(cluster)] as const
    const burden = 'an SQL92 filter of five terms'
    return burdenedMetrics({ load: 'messages pulled', burden, without, with: through, megabytes })
  } finally {
    await cluster.close()
  }
}

/** At least `wanted` messages; as many as were stored. */
async function fill(namesrv: string, wanted: number): Promise<number> {
  const producer = new Producer({ namesrv, group: 'fill', maxInFlight: IN_FLIGHT })
  await producer.start()
  const message = { topic: TOPIC, body: Buffer.alloc(128, 'x'), properties }
  await producer.send(message)
  let stored = 1
  while (stored < wanted) {
    const load = new SendLoad({
      clock: systemClock,
      producers: [producer],
      inFlight: IN_FLIGHT,
      message: () => message,
    })
    await sleep(systemClock, 500)
    await load.stop()
    const { acknowledged, failed, undecided } = load.report()
    if (failed + undecided > 0) throw new Error(`${failed + undecided} messages could not be stored`)
    stored += acknowledged
  }
  await producer.close()
  return stored
}

/** Messages a second, once all came. */
async function consume(
  namesrv: string,
  { group, filter, stored }: { readonly group: string; readonly filter: Filter; readonly stored: number },
): Promise<number> {
  const consumer = new PushConsumer({ namesrv, group, from: 'first' }).subscribe(TOPIC, filter)
  const load = new ConsumeLoad({ clock: systemClock, consumers: [consumer] })
  await load.start()
  const endMs = systemClock.monotonicMs() + WITHIN_MS
  while (load.messages < stored && systemClock.monotonicMs() < endMs) await sleep(systemClock, 20)
  const { messages, messagesPerSecond } = load.report()
  await consumer.close()
  if (messages < stored) throw new Error(`${messages} of ${stored} messages came within ${WITHIN_MS / 1_000} s`)
  return messagesPerSecond
}
