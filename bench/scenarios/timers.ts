/** Scenario `timers`: sends while a million messages wait for a time of their own. */
import { Producer } from '../../src/client/index.ts'
import { errorMessage } from '../../src/lib/errors.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { closedLoop } from '../../src/load/rate.ts'
import { burdenedMetrics, largestMegabytes, saturatingRates } from '../burden.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'

const TIMERS = 1_000_000
const QUICK_TIMERS = 2_000
const IN_FLIGHT = 2_048
const DAY_MS = 86_400_000

export const timers: Scenario = {
  name: 'timers',
  title:
    'sends of 128 B with 1,000,000 timers pending, against the same without, 3 nodes, sync flush, sync replication',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const cluster = await NodeCluster.start({ nodes: 3, dir: bench.dir, flush: 'sync' })
  try {
    const without = await saturatingRates(bench, cluster, 'alone')
    const before = largestMegabytes(cluster)
    const count = bench.isQuick ? QUICK_TIMERS : TIMERS
    await storeTimers(cluster.namesrv, count)
    bench.say(`${count} messages wait`)
    const burdened = await saturatingRates(bench, cluster, 'timers')
    const burden = `${count.toLocaleString('en-US')} timers pending`
    const megabytes = [before, largestMegabytes(cluster)] as const
    return burdenedMetrics({ load: 'sends', burden, without, with: burdened, megabytes })
  } finally {
    await cluster.close()
  }
}

/** Messages for tomorrow, a millisecond between them. */
async function storeTimers(namesrv: string, count: number): Promise<void> {
  const producer = new Producer({ namesrv, group: 'timers', maxInFlight: IN_FLIGHT })
  await producer.start()
  const body = Buffer.alloc(128, 'x')
  const startMs = systemClock.nowMs() + DAY_MS
  let failure: unknown
  try {
    await new Promise<void>((resolve, reject) => {
      let ended = 0
      closedLoop({
        clock: systemClock,
        inFlight: IN_FLIGHT,
        total: count,
        start: (sequence, _dueMs, done) => {
          const deliverAt = new Date(startMs + sequence)
          producer
            .send({ topic: 'Timers', body, deliverAt })
            .catch((error: unknown) => {
              failure = error
            })
            .finally(() => {
              done()
              if (++ended < count) return
              if (failure === undefined) resolve()
              else reject(new Error(`timers could not be stored: ${errorMessage(failure)}`))
            })
        },
      })
    })
  } finally {
    await producer.close()
  }
}
