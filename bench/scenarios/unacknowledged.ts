/** Scenario `unacknowledged`: messages popped and acknowledged while many others are popped and not acknowledged. */
import { Admin } from '../../src/client/index.ts'
import { acknowledge, pop, type Popped } from '../../src/client/pop/pop-requests.ts'
import { subscriptionOf } from '../../src/client/core/subscription.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import type { Request } from '../../src/remoting/connection.ts'
import { burdenedMetrics, largestMegabytes } from '../burden.ts'
import { saturating } from '../load/loads.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'

const HELD = 100_000
const QUICK_HELD = 2_000
const RUNS = 3
/** Of each topic; a group may have 10,000 messages of a queue in flight. */
const QUEUES = 16
/** Loops that pop, acknowledge what they got, and pop again. */
const LOOPS = 16
const POP_MESSAGES = 32
const HOUR_MS = 3_600_000
const TIMEOUT_MS = 10_000

export const unacknowledged: Scenario = {
  name: 'unacknowledged',
  title:
    'pops and acknowledgements with 100,000 messages popped and not acknowledged, against the same without, 3 nodes',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const cluster = await NodeCluster.start({ nodes: 3, dir: bench.dir, flush: 'sync' })
  const poppers = new Poppers(cluster.named.find(({ name }) => name.includes('leader'))?.address ?? '')
  try {
    await makeTopics(cluster.namesrv)
    const held = bench.isQuick ? QUICK_HELD : HELD
    for (const topic of ['Held', 'Taken']) {
      const workload = saturating(`fill${topic}`, { warmSeconds: 0, seconds: bench.isQuick ? 1 : 8 })
      await cluster.loadOne(bench, workload, topic)
    }
    const without = await rates(bench, poppers)
    const before = largestMegabytes(cluster)
    let count = 0
    while (count < held) {
      const got = (await poppers.pop('Held')).length
      if (got === 0) throw new Error(`only ${count} messages could be popped`)
      count += got
    }
    bench.say(`${count} messages are popped and not acknowledged`)
    const burdened = await rates(bench, poppers)
    const megabytes = [before, largestMegabytes(cluster)] as const
    const burden = `${held.toLocaleString('en-US')} unacknowledged`
    return burdenedMetrics({ load: 'pops with their acknowledgements', burden, without, with: burdened, megabytes })
  } finally {
    poppers.close()
    await cluster.close()
  }
}

async function makeTopics(namesrv: string): Promise<void> {
  const admin = new Admin({ namesrv })
  for (const topic of ['Held', 'Taken']) await admin.createTopic({ topic, queues: QUEUES })
  admin.close()
}

async function rates(bench: Bench, poppers: Poppers): Promise<number[]> {
  const found: number[] = []
  for (let run = 0; run < (bench.isQuick ? 1 : RUNS); run++) {
    found.push(await poppers.rate(bench.isQuick ? 1_000 : 5_000))
    bench.say(`${Math.round(found.at(-1) ?? 0)} messages/s`)
  }
  return found
}

/** A group that pops at one broker. */
class Poppers {
  readonly #client = new RemotingClient({ clock: systemClock, log: silentLog })
  readonly #address: string

  constructor(address: string) {
    this.#address = address
  }

  pop(topic: string): Promise<Popped[]> {
    return pop(this.#invoke, this.#address, {
      group: 'poppers',
      topic,
      brokerName: 'broker-a',
      subscription: subscriptionOf(topic, '*', 0),
      maxMessages: POP_MESSAGES,
      invisibleMs: HOUR_MS,
      pollMs: 0,
      isFromFirst: true,
      ordered: false,
      bornMs: systemClock.nowMs(),
    })
  }

  /** Messages popped and acknowledged a second. Throws when there is nothing to pop. */
  async rate(forMs: number): Promise<number> {
    const startMs = systemClock.monotonicMs()
    let done = 0
    const loop = async (): Promise<void> => {
      while (systemClock.monotonicMs() - startMs < forMs) {
        const popped = await this.pop('Taken')
        await Promise.all(popped.map((one) => acknowledge(this.#invoke, this.#address, 'poppers', one)))
        done += popped.length
      }
    }
    await Promise.all(Array.from({ length: LOOPS }, loop))
    if (done === 0) throw new Error('there was nothing to pop')
    return (done * 1_000) / (systemClock.monotonicMs() - startMs)
  }

  close(): void {
    this.#client.close()
  }

  readonly #invoke = (address: string, request: Request) => this.#client.invoke(address, request, TIMEOUT_MS)
}
