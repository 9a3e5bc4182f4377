/** Experiment: `kill -9` of the leader under load, again and again. See `README.md`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Producer, PushConsumer } from '../src/client/index.ts'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { checkHistory, type Report } from '../src/load/checkers.ts'
import { GapMeter } from '../src/load/gap.ts'
import { historyWriter, readHistory, type HistoryEvent } from '../src/load/history.ts'
import { SendLoad } from '../src/load/send-load.ts'
import { Workload } from '../src/load/workload.ts'
import type { Verdict } from './experiment.ts'
import { LocalProcesses } from './local-processes.ts'
import { differences, receivedBy, type ReplicaLog } from './replica-logs.ts'

const NODES = 3
const TOPIC = 'chaos'
/** A consumer that was given nothing for so long has all there is. */
const SILENCE_MS = 5_000
const MAX_LAG_ENTRIES = 1_000

interface Plan {
  readonly kills: number
  readonly acks: number
  readonly ratePerSecond: number
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
  readonly maxGapMs: number
  readonly keep: boolean
}

interface Kill {
  readonly victim: string
  readonly longestGapMs: number
  readonly acknowledged: number
}

export async function killLeader(args: readonly string[]): Promise<readonly Verdict[]> {
  const plan = readPlan(args)
  const dir = mkdtempSync(join(tmpdir(), 'raftmq-chaos-'))
  const run = systemClock.nowMs().toString(36)
  const historyPath = join(dir, 'history.ndjson')
  console.log(
    `${plan.kills} kills of the leader, ${plan.acks} acknowledgements each; ${plan.flush} flush, ${plan.replication} replication; ${dir}`,
  )
  const cluster = await LocalProcesses.start({ nodes: NODES, dir: join(dir, 'cluster'), ...plan })
  let kills: readonly Kill[]
  try {
    kills = await produceAndKill(cluster, plan, run, historyPath)
    await consumeAll(cluster, run, historyPath)
    await cluster.whole(0)
  } finally {
    await cluster.stop()
  }
  const logs = Array.from({ length: NODES }, (_, node): ReplicaLog => {
    const id = `n${node}`
    return { id, broker: 'broker-a', dir: join(dir, 'cluster', 'broker-a', id) }
  })
  const report = await checkHistory(everything(historyPath, logs, run), { isOrdered: false, isComplete: true })
  const verdicts = judge(plan, kills, report, differences(logs))
  writeFileSync(join(dir, 'report.json'), `${JSON.stringify({ plan, kills, report }, null, 2)}\n`)
  if (plan.keep || verdicts.some(({ outcome }) => outcome === 'failed')) console.log(`kept: ${dir}`)
  else rmSync(dir, { recursive: true, force: true })
  return verdicts
}

function readPlan(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '5' },
      acks: { type: 'string', default: '5000' },
      rate: { type: 'string', default: '5000' },
      flush: { type: 'string', default: 'sync' },
      replication: { type: 'string', default: 'sync' },
      'max-gap-ms': { type: 'string', default: '2000' },
      keep: { type: 'boolean', default: false },
    },
  })
  return {
    kills: positive('kills', values.kills),
    acks: positive('acks', values.acks),
    ratePerSecond: positive('rate', values.rate),
    flush: mode('flush', values.flush),
    replication: mode('replication', values.replication),
    maxGapMs: positive('max-gap-ms', values['max-gap-ms']),
    keep: values.keep,
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`)
  return value
}

function mode(name: string, text: string): 'sync' | 'async' {
  if (text !== 'sync' && text !== 'async') throw new Error(`--${name} must be sync or async`)
  return text
}

async function produceAndKill(
  cluster: LocalProcesses,
  plan: Plan,
  run: string,
  path: string,
): Promise<readonly Kill[]> {
  const history = historyWriter(path)
  const workload = new Workload({ clock: systemClock, run, topic: TOPIC, bodyBytes: 128, history })
  const producer = new Producer({ namesrv: cluster.namesrv, group: 'chaos' })
  await producer.start()
  const gap = new GapMeter()
  let acknowledged = 0
  const load = new SendLoad({
    clock: systemClock,
    producers: [producer],
    inFlight: 4096,
    ratePerSecond: plan.ratePerSecond,
    message: (who, sequence) => workload.message(who, sequence),
    onOutcome(who, sequence, error, result) {
      workload.outcome(who, sequence, error, result)
      if (error !== undefined) return
      acknowledged += 1
      gap.mark(systemClock.monotonicMs())
    },
  })
  const kills: Kill[] = []
  try {
    for (let number = 1; number <= plan.kills; number++) {
      await until(() => acknowledged >= plan.acks)
      const nodes = await cluster.whole(MAX_LAG_ENTRIES)
      const leader = nodes.find(({ role }) => role === 'leader')
      if (leader === undefined) throw new Error('nobody leads')
      gap.reset(systemClock.monotonicMs())
      acknowledged = 0
      history.append({ type: 'note', atMs: systemClock.monotonicMs(), text: `kill -9 ${leader.id}` })
      process.kill(leader.pid, 'SIGKILL')
      await until(() => acknowledged >= plan.acks)
      const { lengthMs } = gap.longest(systemClock.monotonicMs())
      const kill = { victim: leader.id, longestGapMs: Math.round(lengthMs), acknowledged }
      kills.push(kill)
      console.log(`kill ${number}: ${kill.victim}, longest gap ${kill.longestGapMs} ms`)
    }
    const { acknowledged: all, failed, undecided, errors } = load.report()
    console.log(`${all} acknowledged, ${failed} failed, ${undecided} undecided ${JSON.stringify(errors)}`)
    await load.stop()
  } finally {
    await producer.close()
    history.close()
  }
  return kills
}

const GIVE_UP_MS = 60_000

async function until(holds: () => boolean): Promise<void> {
  const endMs = systemClock.monotonicMs() + GIVE_UP_MS
  while (!holds()) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`no progress in ${GIVE_UP_MS / 1000} s`)
    await sleep(systemClock, 10)
  }
}

/** Reads the topic from its start with a group of its own, and writes what it sees behind the history. */
async function consumeAll(cluster: LocalProcesses, run: string, path: string): Promise<void> {
  const history = historyWriter(`${path}.consumer`)
  const workload = new Workload({ clock: systemClock, run, topic: TOPIC, bodyBytes: 128, history })
  const consumer = new PushConsumer({ namesrv: cluster.namesrv, group: `chaos_${run}`, from: 'first' }).subscribe(TOPIC)
  let lastMs = systemClock.monotonicMs() + SILENCE_MS
  let count = 0
  await consumer.run((message) => {
    count += 1
    lastMs = systemClock.monotonicMs()
    workload.received('the consumer', message)
  })
  while (systemClock.monotonicMs() - lastMs < SILENCE_MS) await sleep(systemClock, 50)
  console.log(`${count} consumed`)
  await consumer.close()
  history.close()
}

async function* everything(path: string, logs: readonly ReplicaLog[], run: string): AsyncGenerator<HistoryEvent> {
  yield* readHistory(path)
  yield* readHistory(`${path}.consumer`)
  for (const log of logs) yield* receivedBy(log, run)
}

function judge(plan: Plan, kills: readonly Kill[], report: Report, differing: readonly string[]): readonly Verdict[] {
  const gaps = kills.map(({ longestGapMs }) => longestGapMs).sort((a, b) => a - b)
  const [median = 0, max = 0] = [gaps[Math.floor(gaps.length / 2)], gaps.at(-1)]
  const broken = Object.entries(report.counts).filter(([kind, count]) => count > 0 && kind !== 'disordered')
  const found = [
    ...broken.map(([kind, count]) => `${count} ${kind}`),
    ...report.findings.slice(0, 5).map(({ text }) => text),
  ]
  const { acknowledged, undecided, doubled, redelivered } = report
  return [
    verdict(
      found.length === 0,
      `of ${acknowledged} acknowledged messages nothing is missing, in the consumer and in the logs of all ${NODES} nodes (${undecided} undecided, ${doubled} doubled, ${redelivered} redelivered)`,
      found.join('; '),
    ),
    verdict(differing.length === 0, 'the logs of all nodes are the same bytes', differing.join('; ')),
    verdict(
      max < plan.maxGapMs,
      `the longest gap between acknowledgements: median ${median} ms, maximum ${max} ms`,
      `above ${plan.maxGapMs} ms`,
    ),
  ]
}

const verdict = (holds: boolean, text: string, otherwise: string): Verdict =>
  holds ? { outcome: 'passed', text } : { outcome: 'failed', text: `${text}: ${otherwise}` }
