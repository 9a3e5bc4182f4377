/** Scenario `transfer`: leadership moved again and again while messages are sent. */
import { join } from 'node:path'
import { LocalProcesses } from '../../chaos/local-processes.ts'
import { Admin, Producer } from '../../src/client/index.ts'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { GapMeter } from '../../src/load/gap.ts'
import { SendLoad } from '../../src/load/send-load.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'
import { percentile } from '../../src/report/statistics.ts'

const TRANSFERS = 50
const RATE_PER_SECOND = 5_000
const IN_FLIGHT = 4_096
/** Before and after a transfer that belongs to it. */
const BEFORE_MS = 200
const AFTER_MS = 800
const MAX_LAG_ENTRIES = 1_000

export const transfer: Scenario = {
  name: 'transfer',
  title: `${TRANSFERS} transfers of leadership under ${RATE_PER_SECOND} sends a second, sync flush, sync replication`,
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const dir = join(bench.dir, 'cluster')
  const cluster = await LocalProcesses.start({ nodes: 3, dir, flush: 'sync', replication: 'sync' })
  const admin = new Admin({ namesrv: cluster.namesrv })
  const producer = new Producer({ namesrv: cluster.namesrv, group: 'bench', maxInFlight: IN_FLIGHT })
  try {
    await producer.start()
    await producer.send({ topic: 'RaftmqBench', body: Buffer.alloc(128) })
    const gap = new GapMeter(systemClock.monotonicMs())
    const body = Buffer.alloc(128, 'x')
    const load = new SendLoad({
      clock: systemClock,
      producers: [producer],
      inFlight: IN_FLIGHT,
      ratePerSecond: RATE_PER_SECOND,
      message: () => ({ topic: 'RaftmqBench', body }),
      onOutcome(_, __, error) {
        if (error === undefined) gap.mark(systemClock.monotonicMs())
      },
    })
    await sleep(systemClock, 2_000)
    const pausesMs: number[] = []
    const takenMs: number[] = []
    let moved = 0
    for (let number = 1; number <= (bench.isQuick ? 5 : TRANSFERS); number++) {
      const nodes = await cluster.whole(MAX_LAG_ENTRIES)
      const leader = nodes.findIndex(({ role }) => role === 'leader')
      const target = nodes[(leader + 1) % nodes.length]
      if (target === undefined) throw new Error('nobody leads')
      gap.reset(systemClock.monotonicMs())
      await sleep(systemClock, BEFORE_MS)
      const startMs = systemClock.monotonicMs()
      await admin.transferLeader({ broker: target.broker, to: target.id })
      takenMs.push(systemClock.monotonicMs() - startMs)
      await sleep(systemClock, AFTER_MS)
      pausesMs.push(gap.longest(systemClock.monotonicMs()).lengthMs)
      const now = await cluster.whole(MAX_LAG_ENTRIES)
      if (now.some(({ id, role }) => id === target.id && role === 'leader')) moved += 1
      bench.say(`transfer ${number}: to ${target.id}, pause ${Math.round(pausesMs.at(-1) ?? 0)} ms`)
    }
    const { acknowledged, failed, undecided, errors } = load.report()
    await load.stop()
    const p99 = percentile(pausesMs, 0.99)
    const notes = [
      `${acknowledged} acknowledged meanwhile; ${moved} of ${pausesMs.length} transfers ended with the node that was named`,
      ...(failed + undecided > 0 ? [JSON.stringify(errors)] : []),
    ]
    const none = { kind: 'most', value: 0, of: 'median' } as const
    return {
      metrics: [
        { name: 'transfers of leadership under load: failed sends', unit: '', values: [failed + undecided], bar: none },
        { name: 'pause in acknowledgements around a transfer', unit: 'ms', values: pausesMs },
        {
          name: 'pause in acknowledgements around a transfer, p99',
          unit: 'ms',
          values: [p99],
          bar: { kind: 'below', value: 200, of: 'median' },
        },
        { name: 'time of the request to transfer', unit: 'ms', values: takenMs },
      ],
      notes,
    }
  } finally {
    await producer.close()
    admin.close()
    await cluster.stop()
  }
}
