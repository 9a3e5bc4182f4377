/** Scenario `send`: acknowledged messages a second in both flush modes, in turns, each run with a new cluster. */
import { join } from 'node:path'
import { LocalProcesses } from '../../chaos/local-processes.ts'
import { numberAt, runRaftmq } from '../command-line.ts'
import { cpuMicrosOf } from '../process-usage.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'

const MODES = [
  { flush: 'async', least: 80_000 },
  { flush: 'sync', least: 50_000 },
] as const

/** By measurement: more brings no more acknowledgements, only latency. */
export const IN_FLIGHT = 4096
const BODY_BYTES = 128
const RUNS = 3
const SECONDS = 10
const WARM_UP_SECONDS = 3

interface Run {
  readonly acksPerSecond: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly longestGapMs: number
  readonly failed: number
  /** Microseconds of processor time for a message, by process; undefined where the system does not say. */
  readonly cpuMicros: Readonly<Record<Part, number>> | undefined
}

type Part = 'leader' | 'follower' | 'client'

export const send: Scenario = {
  name: 'send',
  title: `own client, ${BODY_BYTES} B, 3 nodes, sync replication, ${IN_FLIGHT} in flight, async and sync flush in turns`,
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const runs = { async: new Array<Run>(), sync: new Array<Run>() }
  for (let number = 1; number <= (bench.isQuick ? 1 : RUNS); number++) {
    for (const { flush } of MODES) {
      const run = await runOnce(bench, flush, join(bench.dir, `${flush}-${number}`))
      runs[flush].push(run)
      bench.say(`${flush} flush, run ${number}: ${Math.round(run.acksPerSecond)} acknowledged/s, p99 ${run.p99} ms`)
    }
  }
  const failed = [...runs.async, ...runs.sync].reduce((sum, run) => sum + run.failed, 0)
  return {
    metrics: MODES.flatMap(({ flush, least }) => metricsOf(`${flush} flush`, least, runs[flush])),
    notes: failed === 0 ? [] : [`${failed} sends were not acknowledged`],
  }
}

async function runOnce(bench: Bench, flush: 'async' | 'sync', dir: string): Promise<Run> {
  const cluster = await LocalProcesses.start({ nodes: 3, dir, flush, replication: 'sync' })
  try {
    const args = (seconds: number): string[] => {
      const load = ['--size', String(BODY_BYTES), '--in-flight', String(IN_FLIGHT), '--seconds', String(seconds)]
      return ['bench', 'send', '-n', cluster.namesrv, ...load, '--json']
    }
    await runRaftmq({ args: args(bench.isQuick ? 1 : WARM_UP_SECONDS) })
    const nodes = await cluster.nodes()
    const usage = new Usage({
      leader: nodes.flatMap(({ role, pid }) => (role === 'leader' ? [pid] : [])),
      follower: nodes.flatMap(({ role, pid }) => (role === 'follower' ? [pid] : [])),
    })
    const { stdout } = await runRaftmq({
      args: args(bench.isQuick ? 3 : SECONDS),
      onNote: (line, pid) => usage.take(line, pid),
    })
    const latency = (name: string): number => numberAt(stdout, 'latencyMs', name)
    return {
      acksPerSecond: numberAt(stdout, 'acksPerSecond'),
      p50: latency('p50'),
      p99: latency('p99'),
      p999: latency('p999'),
      longestGapMs: numberAt(stdout, 'longestGapMs'),
      failed: numberAt(stdout, 'failed') + numberAt(stdout, 'undecided'),
      cpuMicros: usage.perMessage(),
    }
  } finally {
    await cluster.stop()
  }
}

/** Processor time between the first and the last line of progress, and the messages acknowledged between them. */
class Usage {
  readonly #nodes: Readonly<Record<'leader' | 'follower', readonly number[]>>
  #first: Readonly<Record<Part, number>> | undefined
  #last: Readonly<Record<Part, number>> | undefined
  #messages = 0

  constructor(nodes: Readonly<Record<'leader' | 'follower', readonly number[]>>) {
    this.#nodes = nodes
  }

  take(line: string, clientPid: number): void {
    const messages = progressOf(line)
    if (messages === undefined) return
    const now = this.#now(clientPid)
    if (this.#first === undefined) this.#first = now
    else {
      this.#messages += messages
      this.#last = now
    }
  }

  perMessage(): Readonly<Record<Part, number>> | undefined {
    const [first, last] = [this.#first, this.#last]
    if (first === undefined || last === undefined || this.#messages === 0) return undefined
    const each = (part: Part): number => (last[part] - first[part]) / this.#messages
    return { leader: each('leader'), follower: each('follower'), client: each('client') }
  }

  #now(clientPid: number): Readonly<Record<Part, number>> | undefined {
    const { leader, follower } = this.#nodes
    const now = { leader: meanCpu(leader), follower: meanCpu(follower), client: meanCpu([clientPid]) }
    return Object.values(now).every(Number.isFinite) ? now : undefined
  }
}

function meanCpu(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + (cpuMicrosOf(pid) ?? Number.NaN), 0) / pids.length
}

/** Messages acknowledged in the second that a line of `raftmq bench send` speaks of. */
export function progressOf(line: string): number | undefined {
  const count = /^ *\d+ s {2}([\d,]+)\/s/.exec(line)?.[1]
  return count === undefined ? undefined : Number(count.replaceAll(',', ''))
}

function metricsOf(mode: string, least: number, runs: readonly Run[]): readonly Metric[] {
  const metric = (name: string, unit: string, of: (run: Run) => number): Metric => ({
    name: `${mode}: ${name}`,
    unit,
    values: runs.map(of),
  })
  const cpu = (part: Part): readonly Metric[] => {
    const values = runs.flatMap(({ cpuMicros }) => cpuMicros?.[part] ?? [])
    const who = part === 'follower' ? 'each follower' : `the ${part}`
    return values.length === 0 ? [] : [{ name: `${mode}: processor time of ${who} for a message`, unit: 'µs', values }]
  }
  return [
    {
      ...metric('acknowledged, 128 B, 3 nodes, sync replication', '/s', (run) => run.acksPerSecond),
      bar: { kind: 'least', value: least, of: 'median' },
    },
    metric('latency p50', 'ms', (run) => run.p50),
    metric('latency p99', 'ms', (run) => run.p99),
    metric('latency p99.9', 'ms', (run) => run.p999),
    metric('longest gap between acknowledgements', 'ms', (run) => run.longestGapMs),
    ...cpu('leader'),
    ...cpu('follower'),
    ...cpu('client'),
  ]
}
