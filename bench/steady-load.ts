/** Sends of 128 B at a fixed rate for some seconds: what others are not to disturb. */
import type { Producer } from '../src/client/index.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { SendLoad } from '../src/load/send-load.ts'

export interface Steady {
  readonly perSecond: number
  readonly p99Ms: number
  /** Sends that were not acknowledged. */
  readonly failed: number
}

export const STEADY_TOPIC = 'steady'
const BODY_BYTES = 128
const MAX_IN_FLIGHT = 20_000

/** `ratePerSecond` undefined: as fast as 1,024 in flight go. */
export async function steadyLoad(
  producer: Producer,
  { seconds, ratePerSecond }: { readonly seconds: number; readonly ratePerSecond?: number },
): Promise<Steady> {
  const load = new SendLoad({
    clock: systemClock,
    producers: [producer],
    inFlight: ratePerSecond === undefined ? 1_024 : MAX_IN_FLIGHT,
    ratePerSecond,
    message,
  })
  await sleep(systemClock, seconds * 1_000)
  const { acksPerSecond, latencyMs, failed, undecided } = load.report()
  await load.stop()
  return { perSecond: acksPerSecond, p99Ms: latencyMs.p99, failed: failed + undecided }
}

const message = (): { topic: string; body: Buffer } => ({ topic: STEADY_TOPIC, body: Buffer.alloc(BODY_BYTES) })
