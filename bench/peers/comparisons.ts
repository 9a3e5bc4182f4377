/** Who is compared with whom, under what, and what is to be reached. */
import type { Bar } from '../scenario.ts'
import type { Contender } from './contender.ts'
import { natsJetStream } from './nats.ts'
import { nullBroker } from './null-broker.ts'
import { raftmqUnderJava, raftmqUnderOwnClient } from './raftmq.ts'
import { rocketmq } from './rocketmq.ts'
import type { Workload } from '../load/workload.ts'

/** `rate`: messages a second. The others are latencies in milliseconds. */
export type FigureName = 'rate' | 'p50' | 'p99' | 'p999'

export interface Entrant {
  /** A word for it in the names of figures. */
  readonly key: string
  readonly contender: Contender
  readonly workloads: readonly Workload[]
}

/** One entrant's figure held against another's, inside a round. */
export interface Relation {
  readonly kind: 'ratio' | 'difference'
  readonly of: string
  readonly to: string
  readonly workload: Workload
  readonly figure: FigureName
  /** `fsyncs`: so many durable writes of this disk are added to the bar. */
  readonly bar?: Bar & { readonly fsyncs?: number }
  /** Reached as well when `of` reaches this share of what `ceiling` does. */
  readonly orShareOf?: { readonly ceiling: string; readonly share: number }
}

export interface Comparison {
  readonly name: string
  readonly title: string
  /** In the order of their turns in a round. */
  readonly entrants: readonly Entrant[]
  readonly relations: readonly Relation[]
}

/** The name of a comparison among all results. */
export const resultNameOf = ({ name }: Pick<Comparison, 'name'>): string => `peers-${name}`

const closed = { bodyBytes: 128, warmSeconds: 4, seconds: 8 } as const
const sync64: Workload = { ...closed, name: 'sync64', title: '64 sync threads, 128 B', clients: 64, inFlight: 1 }
const async1000: Workload = {
  ...closed,
  name: 'async1000',
  title: '1,000 async in flight, 128 B',
  clients: 1,
  inFlight: 1_000,
}
const one: Workload = {
  ...closed,
  name: 'one',
  title: '1 thread, 128 B',
  clients: 1,
  inFlight: 1,
  warmSeconds: 2,
  seconds: 5,
}
const paced: Workload = {
  ...closed,
  name: 'paced',
  title: 'fixed 3,000/s, 128 B',
  clients: 1,
  inFlight: 1_000,
  ratePerSecond: 3_000,
  warmSeconds: 2,
  seconds: 8,
}
const readAll: Workload = {
  ...closed,
  name: 'consume',
  title: 'push consumer, 1,000,000 × 128 B from the start',
  clients: 1,
  inFlight: 1,
  consume: 1_000_000,
  warmSeconds: 0,
  seconds: 0,
}
const pipeline: Workload = { ...async1000, name: 'pipeline', title: 'deep pipeline (4,096), 128 B', inFlight: 4_096 }
const pipeline1k: Workload = {
  ...pipeline,
  name: 'pipeline1k',
  title: 'deep pipeline (4,096), 1 KiB',
  bodyBytes: 1_024,
}
const each64: Workload = { ...sync64, name: 'each64', title: '64 clients with one in flight each, 128 B' }
const oneInFlight: Workload = { ...one, title: 'one in flight, 128 B' }

const RAFTMQ = 'RaftMQ'
const CEILING = 'null broker'
const least = (value: number): Bar => ({ kind: 'least', value, of: 'median' })
const most = (value: number): Bar => ({ kind: 'most', value, of: 'median' })
const orCeiling = { ceiling: CEILING, share: 0.8 }

/** The same stock Java client against RaftMQ and a RocketMQ; `timesFaster` is for both loads at saturation. */
function underJava(need: {
  readonly name: string
  readonly key: string
  readonly contender: Contender
  readonly timesFaster?: number
  readonly latency?: number
  readonly workloads?: readonly Workload[]
}): Comparison {
  const { name, key, contender, timesFaster, latency, workloads = [sync64, async1000, one, paced] } = need
  const saturating = workloads.filter((workload) => workload === sync64 || workload === async1000)
  const pair = { kind: 'ratio', of: RAFTMQ, to: key } as const
  return {
    name,
    title: `stock Java client: RaftMQ and ${contender.title}`,
    entrants: [
      { key: CEILING, contender: nullBroker, workloads: saturating },
      { key: RAFTMQ, contender: raftmqUnderJava('sync'), workloads },
      { key, contender, workloads },
    ].filter(({ workloads }) => workloads.length > 0),
    relations: workloads.map((workload): Relation => {
      if (saturating.includes(workload)) {
        const bar = timesFaster === undefined ? {} : { bar: least(timesFaster), orShareOf: orCeiling }
        return { ...pair, workload, figure: 'rate', ...bar }
      }
      if (workload === readAll) return { ...pair, workload, figure: 'rate', bar: least(1) }
      const bar = latency === undefined ? {} : { bar: most(latency) }
      return { ...pair, workload, figure: workload === paced ? 'p99' : 'p50', ...bar }
    }),
  }
}

/** Our own client against our nodes, and NATS's against its own. */
function underOwnClients(need: {
  readonly name: string
  readonly flush: 'sync' | 'async'
  readonly nats: Contender
  readonly bars: { readonly pipeline: number; readonly each64: number; readonly pipeline1k: number }
}): Comparison {
  const { name, flush, nats, bars } = need
  const ours = `${RAFTMQ} ${flush} flush`
  const theirs = flush === 'sync' ? 'NATS always synced' : 'NATS'
  const workloads = [pipeline, each64, pipeline1k, oneInFlight]
  const rate = (workload: Workload, timesFaster: number): Relation => ({
    kind: 'ratio',
    of: ours,
    to: theirs,
    workload,
    figure: 'rate',
    bar: least(timesFaster),
  })
  const p50 = { of: ours, to: theirs, workload: oneInFlight, figure: 'p50' } as const
  return {
    name,
    title: `own clients: RaftMQ (${flush} flush, sync replication) and ${nats.title}`,
    entrants: [
      { key: ours, contender: raftmqUnderOwnClient(flush), workloads },
      { key: theirs, contender: nats, workloads },
      // One in flight with sync flush is held against NATS that does not sync, plus what syncing costs.
      ...(flush === 'sync'
        ? []
        : [{ key: `${RAFTMQ} sync flush`, contender: raftmqUnderOwnClient('sync'), workloads: [oneInFlight] }]),
    ],
    relations: [
      rate(pipeline, bars.pipeline),
      rate(each64, bars.each64),
      rate(pipeline1k, bars.pipeline1k),
      flush === 'async' ? { kind: 'ratio', ...p50, bar: most(1) } : { kind: 'ratio', ...p50 },
      ...(flush === 'sync'
        ? []
        : [{ kind: 'difference', ...p50, of: `${RAFTMQ} sync flush`, bar: { ...most(0), fsyncs: 2 } } as const]),
    ],
  }
}

export const comparisons: readonly Comparison[] = [
  underJava({ name: 'dledger', key: 'DLedger', contender: rocketmq('dledger'), timesFaster: 4, latency: 0.5 }),
  underJava({ name: 'pair', key: 'SYNC_MASTER pair', contender: rocketmq('pair'), timesFaster: 1.5 }),
  underJava({ name: 'controller', key: 'controller mode', contender: rocketmq('controller'), timesFaster: 1.5 }),
  underJava({ name: 'single', key: 'single broker', contender: rocketmq('single') }),
  underJava({ name: 'consume', key: 'single broker', contender: rocketmq('single'), workloads: [readAll] }),
  underOwnClients({
    name: 'nats',
    flush: 'async',
    nats: natsJetStream(undefined),
    bars: { pipeline: 1.5, each64: 1, pipeline1k: 1.2 },
  }),
  underOwnClients({
    name: 'nats-always',
    flush: 'sync',
    nats: natsJetStream('always'),
    bars: { pipeline: 2.5, each64: 2, pipeline1k: 1.5 },
  }),
]
