/** How fast a group acknowledges, how long a message takes at a fixed rate, and what is written for it. */
import { Admin, Producer } from '../client/index.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import { SendLoad } from '../load/send-load.ts'
import type { Group } from './group.ts'
import { LOAD, type Parameters } from './plan.ts'
import type { LoadFigures, SpeedResult } from './results.ts'

export interface SpeedNeeds {
  readonly clock: Clock
  readonly group: Group
  readonly parameters: Pick<Parameters, 'seconds' | 'ratePerSecond'>
  readonly signal: AbortSignal
  /** What is done now, for a person. */
  readonly say: (text: string) => void
}

const TOPIC = 'compare'
/** A load runs for this part of its time before it is measured. */
const WARM_UP = 0.4

export async function measureSpeed(need: SpeedNeeds): Promise<Pick<SpeedResult, 'saturated' | 'paced' | 'bytesFrom'>> {
  const { clock, group, parameters, say } = need
  const { namesrv } = group
  const admin = new Admin({ namesrv, clock })
  await admin.createTopic({ topic: TOPIC, queues: 4 }).finally(() => admin.close())
  const producers = Array.from(
    { length: LOAD.producers },
    () => new Producer({ namesrv, group: 'compare', maxInFlight: LOAD.inFlight, compressOverBytes: Infinity, clock }),
  )
  try {
    await Promise.all(producers.map((producer) => producer.start()))
    say('as fast as it goes')
    const saturated = await measure(need, producers, undefined)
    say(`${parameters.ratePerSecond.toLocaleString('en-US')} a second`)
    const paced = await measure(need, producers, parameters.ratePerSecond)
    return { saturated, paced, bytesFrom: (await group.bytesWritten()).from }
  } finally {
    const closed = Promise.all(producers.map((producer) => producer.close()))
    // Who was interrupted does not wait for answers of nodes that are gone.
    if (need.signal.aborted) closed.catch(() => undefined)
    else await closed
  }
}

async function measure(
  { clock, group, parameters, signal }: SpeedNeeds,
  producers: readonly Producer[],
  ratePerSecond: number | undefined,
): Promise<LoadFigures> {
  const ms = parameters.seconds * 1_000
  const message = { topic: TOPIC, body: Buffer.alloc(LOAD.bodyBytes, 0x61) }
  const load = (): SendLoad =>
    new SendLoad({ clock, producers, inFlight: LOAD.inFlight, ratePerSecond, message: () => message })
  const warming = load()
  await sleep(clock, ms * WARM_UP, signal).finally(() => void warming.stop())
  await warming.stop()
  const before = await group.bytesWritten()
  const measured = load()
  await sleep(clock, ms, signal).finally(() => void measured.stop())
  const { seconds, acknowledged, failed, undecided, latencyMs } = measured.report()
  const after = await group.bytesWritten()
  await measured.stop()
  return {
    seconds,
    acknowledged,
    failed: failed + undecided,
    p50Ms: latencyMs.p50,
    p99Ms: latencyMs.p99,
    p999Ms: latencyMs.p999,
    maxMs: latencyMs.max,
    bytesWritten: after.bytes - before.bytes,
  }
}
