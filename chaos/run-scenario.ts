/** Runs one scenario: a group of its own under load, round after round, and what became of everything. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sleep, systemClock } from '../src/lib/clock.ts'
import { errorMessage } from '../src/lib/errors.ts'
import { seededRandom } from '../src/lib/prng.ts'
import { checkHistory, type Report } from '../src/load/checkers.ts'
import { readHistory, type HistoryEvent } from '../src/load/history.ts'
import { FaultyCluster } from '../src/cli/experiments/faulty-cluster.ts'
import { lostByRound } from './lost-by-round.ts'
import { Proxies } from './proxies.ts'
import { differences, receivedBy, type ReplicaLog } from './replica-logs.ts'
import { RunLoad } from './run-load.ts'
import { wasOrdered } from '../src/load/recorded-load.ts'
import type { Mode, Scenario, Scene } from './scenario.ts'
import { LIVE_READER, type WorkloadName } from './traffic.ts'
import { workloads } from './workloads.ts'

export interface RunRequest {
  readonly scenario: Scenario
  readonly workload: WorkloadName
  readonly mode: Mode
  /** Rounds go on until this time is over; there is one at least. */
  readonly ms: number
  readonly maxRounds: number
  readonly seed: number
  readonly ratePerSecond: number
  /** Messages acknowledged before a fault, and again after it. */
  readonly acks: number
  readonly keep: boolean
  /** Called every now and then: where it stands, in one line. */
  readonly look: (line: string) => void
}

export interface Round {
  readonly gapMs: number
  readonly deliveryGapMs: number
  /** From the end of healing until messages were acknowledged again. */
  readonly recoveryMs: number
  /** Messages acknowledged in it that are gone. */
  readonly lost: number
}

export interface Result {
  readonly scenario: string
  readonly workload: WorkloadName
  readonly family: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** What did not hold, or why it could not run. */
  readonly reasons: readonly string[]
  readonly mode: Mode
  readonly seed: number
  readonly rounds: readonly Round[]
  /** Messages that a round may lose, in modes that may; 0: none. */
  readonly mayLosePerRound: number
  readonly acknowledged: number
  readonly failed: number
  readonly undecided: number
  readonly lost: number
  readonly seconds: number
  /** Acknowledgements in each tenth of a second. */
  readonly timeline: readonly number[]
  readonly notes: readonly { readonly atMs: number; readonly text: string }[]
}

const LOOK_EVERY_MS = 250
/** So many acknowledgements, and a group counts as recovered. */
const FIRST_ACKS = 100

/** The defaults of `maxUnflushedMs` and `maxUnreplicatedMs`, which the groups here run with. */
const DECLARED = { maxUnflushedMs: 500, maxUnreplicatedMs: 1_000 } as const

export async function runScenario(request: RunRequest): Promise<Result> {
  const { scenario } = request
  const why = scenario.cannot?.() ?? (await workloads[request.workload].cannot())
  if (why !== undefined) return nothing(request, 'skipped', [why])
  const dir = mkdtempSync(join(tmpdir(), `raftmq-chaos-${scenario.name}-`))
  const proxies = scenario.usesProxies === true ? await Proxies.start() : undefined
  try {
    const result = await runIn(dir, request, proxies)
    if (request.keep || result.outcome === 'failed') console.log(`kept: ${dir}`)
    else rmSync(dir, { recursive: true, force: true })
    return result
  } catch (error) {
    console.log(`kept: ${dir}`)
    return nothing(request, 'failed', [`it ended early: ${errorMessage(error)}`])
  } finally {
    await proxies?.stop()
  }
}

async function runIn(dir: string, request: RunRequest, proxies: Proxies | undefined): Promise<Result> {
  const { scenario, mode, seed, look } = request
  const startMs = systemClock.monotonicMs()
  const run = `${seed.toString(36)}${systemClock.nowMs().toString(36)}`
  const historyPath = join(dir, 'history.ndjson')
  const cluster = await FaultyCluster.start({
    nodes: scenario.nodes ?? 3,
    dir: join(dir, 'cluster'),
    ...mode,
    disk: scenario.keepsBack === true ? 'kept-back' : 'breakable',
    properties: (id, plans) => [
      ...(proxies === undefined ? [] : proxies.propertiesOf(id, plans)),
      ...(scenario.properties?.(id, plans) ?? []),
    ],
    ready: (plans) => proxies?.open(plans) ?? Promise.resolve(),
  })
  const { ratePerSecond, workload } = request
  const load = new RunLoad({ namesrv: cluster.namesrv, run, ratePerSecond, workload, historyPath })
  const rounds: Omit<Round, 'lost'>[] = []
  const startsMs: number[] = []
  const reasons: string[] = []
  const live = systemClock.every(LOOK_EVERY_MS, () =>
    look(
      `${scenario.name} round ${rounds.length + 1}: ${load.acknowledged} acknowledged, ${load.delivered} delivered, ` +
        `gap ${load.gaps.sendsMs} ms`,
    ),
  )
  const scene: Scene = {
    cluster,
    proxies,
    random: seededRandom(seed),
    mode,
    note: (text) => load.note(text),
    sleep: (ms) => sleep(systemClock, ms),
    acknowledged: (count) => load.more(count, scenario.recoverWithinMs),
  }
  let declaredLost = 0
  try {
    await load.start()
    do {
      startsMs.push(systemClock.monotonicMs())
      rounds.push(await round(request, scene, load, reasons))
    } while (
      reasons.length === 0 &&
      rounds.length < request.maxRounds &&
      systemClock.monotonicMs() - startMs < request.ms
    )
    await load.stop(scenario.recoverWithinMs)
    reasons.push(...(await load.rolledBack()))
    await load.readAll(`${historyPath}.consumer`)
    await load.converged(cluster.nodes.filter(({ isGone }) => !isGone).length, scenario.recoverWithinMs)
    declaredLost = await load.declaredLost()
  } catch (error) {
    reasons.push(errorMessage(error))
    await load.stop(0).catch(() => undefined)
  } finally {
    live.cancel()
    load.close()
    await cluster.stop()
  }
  const isWhole = reasons.length === 0
  const mayLosePerRound = scenario.mayLose?.(mode) === true ? boundOf(mode, request.ratePerSecond) : 0
  const mayLose = { upTo: mayLosePerRound * rounds.length, declared: declaredLost }
  const judged = await judge({ scenario, mode, historyPath, run, cluster, isWhole, mayLose })
  const lost = await lostByRound(readHistory(historyPath), judged.report?.lost ?? [], startsMs)
  return {
    ...nothing(request, 'passed', []),
    outcome: reasons.length + judged.reasons.length === 0 ? 'passed' : 'failed',
    reasons: [...reasons, ...judged.reasons],
    rounds: rounds.map((round, at) => ({ ...round, lost: lost[at] ?? 0 })),
    mayLosePerRound,
    acknowledged: judged.report?.acknowledged ?? load.acknowledged,
    failed: judged.report?.failed ?? 0,
    undecided: judged.report?.undecided ?? 0,
    lost: judged.lost,
    seconds: Math.round((systemClock.monotonicMs() - startMs) / 1000),
    timeline: load.timeline,
    notes: load.notes,
  }
}

async function round(
  { scenario, acks }: RunRequest,
  scene: Scene,
  load: RunLoad,
  reasons: string[],
): Promise<Omit<Round, 'lost'>> {
  // At the slowest a third of the rate.
  const withinMs = scenario.recoverWithinMs + acks
  await load.more(acks, withinMs)
  // A consumer that was never given anything has no place to go on from.
  await load.moreDelivered(1, scenario.recoverWithinMs)
  await load.remember()
  // A power cut may take what was committed in the flush window: what was remembered is to be older.
  if (scene.mode.flush === 'async') await scene.sleep(2 * DECLARED.maxUnflushedMs)
  load.resetGaps()
  const heal = await scenario.fault(scene)
  if (scenario.holdMs > 0) await scene.sleep(scenario.holdMs)
  await heal()
  load.note('healed')
  const healedMs = systemClock.monotonicMs()
  await load.more(Math.min(acks, FIRST_ACKS), scenario.recoverWithinMs)
  const recoveryMs = Math.round(systemClock.monotonicMs() - healedMs)
  await load.moreDelivered(Math.min(acks, FIRST_ACKS), scenario.recoverWithinMs)
  await scene.cluster.serving(scenario.recoverWithinMs)
  await load.more(acks, withinMs)
  const { sendsMs, deliveriesMs } = load.gaps
  if (scenario.maxGapMs !== undefined && sendsMs > scenario.maxGapMs) {
    reasons.push(`no acknowledgement for ${sendsMs} ms, more than ${scenario.maxGapMs}`)
  }
  reasons.push(...(await load.rolledBack()))
  return { gapMs: sendsMs, deliveryGapMs: deliveriesMs, recoveryMs }
}

/** What one failure may cost: the declared bounds of the asynchronous modes (`docs/options.md`), as messages. */
function boundOf({ flush, replication }: Mode, ratePerSecond: number): number {
  const { maxUnflushedMs, maxUnreplicatedMs } = DECLARED
  const windowMs = (flush === 'async' ? maxUnflushedMs : 0) + (replication === 'async' ? maxUnreplicatedMs : 0)
  return Math.ceil((windowMs * ratePerSecond) / 1000)
}

interface Judged {
  readonly reasons: readonly string[]
  readonly report: Report | undefined
  /** Acknowledged messages that a reader did not find, by the reader that misses most. */
  readonly lost: number
}

async function judge(need: {
  readonly scenario: Scenario
  readonly mode: Mode
  readonly historyPath: string
  readonly run: string
  readonly cluster: FaultyCluster
  readonly isWhole: boolean
  /** Messages, in all rounds: what the mode's bounds allow, and what the group said itself. */
  readonly mayLose: { readonly upTo: number; readonly declared: number }
}): Promise<Judged> {
  const { scenario, mode, historyPath, run, cluster, isWhole } = need
  // Without everything that was read nothing can be called lost.
  if (!isWhole) return { reasons: [], report: undefined, lost: 0 }
  const logs = cluster.nodes
    .filter(({ isGone }) => !isGone)
    .map((node): ReplicaLog => ({ id: node.id, broker: node.plan.broker, dir: node.plan.dir }))
  const compared = scenario.skipsLogs === true ? [] : logs
  const bound = need.mayLose.upTo
  // What was committed may be lost with the power then, and its place given again.
  const skipsLive = bound > 0 && mode.flush === 'async'
  const report = await checkHistory(everything({ historyPath, logs: compared, run, skipsLive }), {
    isOrdered: wasOrdered,
    isComplete: true,
    beginsLate: scenario.dropsOld === true,
  })
  const lost = report.lost.length
  // Places whose messages were lost are given again: what comes later may lie before what was acknowledged there.
  const isAllowed = (kind: string): boolean =>
    (kind === 'lost' && lost <= bound) || (kind === 'disordered' && lost > 0 && lost <= bound)
  const broken = Object.entries(report.counts).filter(([kind, count]) => count > 0 && !isAllowed(kind))
  const { declared } = need.mayLose
  const reasons = [
    ...(lost > declared && lost <= bound ? [`${lost} were lost, and the group declared ${declared}`] : []),
    ...broken.map(([kind, count]) => `${count} ${kind}`),
    ...(broken.length === 0 ? [] : report.findings.slice(0, 3).map(({ text }) => text)),
    ...differences(compared),
  ]
  return { reasons, report, lost }
}

async function* everything(need: {
  readonly historyPath: string
  readonly logs: readonly ReplicaLog[]
  readonly run: string
  readonly skipsLive: boolean
}): AsyncGenerator<HistoryEvent> {
  for await (const event of readHistory(need.historyPath)) {
    if (!need.skipsLive || event.type !== 'received' || event.reader !== LIVE_READER) yield event
  }
  yield* readHistory(`${need.historyPath}.consumer`)
  for (const log of need.logs) yield* receivedBy(log, need.run)
}

function nothing(
  { scenario, workload, mode, seed }: RunRequest,
  outcome: Result['outcome'],
  reasons: readonly string[],
): Result {
  const { name, family } = scenario
  const none = {
    rounds: [],
    mayLosePerRound: 0,
    acknowledged: 0,
    failed: 0,
    undecided: 0,
    lost: 0,
    seconds: 0,
    timeline: [],
    notes: [],
  }
  return { scenario: name, workload, family, outcome, reasons, mode, seed, ...none }
}
