/** Breaks a group under load, again and again, and finds what that cost. */
import { Admin } from '../client/index.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import { checkHistory } from '../load/checkers.ts'
import type { HistoryEvent } from '../load/history.ts'
import { readTopic } from '../load/read-topic.ts'
import { LoadRecord } from '../load/load-record.ts'
import { BODY_BYTES, RecordedLoad } from '../load/recorded-load.ts'
import { Workload } from '../load/workload.ts'
import type { Group } from './group.ts'
import { type FaultSeen, outcomesOf, unexplained } from './outcomes.ts'
import type { Parameters } from './plan.ts'
import type { DeclaredLoss, FaultsResult } from './results.ts'
import { type Fault, type Setup, windowMs } from './setups.ts'

export interface BreakNeeds {
  readonly clock: Clock
  readonly group: Group
  readonly setup: Setup
  readonly fault: Fault
  readonly parameters: Pick<Parameters, 'kills' | 'ratePerSecond'>
  readonly signal: AbortSignal
  /** What is done now, for a person. */
  readonly say: (text: string) => void
}

const TOPIC = 'compare'
const RUN = 'compare'
/** Between faults: long enough for the load to catch up, so that every fault meets it at its rate. */
const CALM_MS = 1_000
const RECOVER_WITHIN_MS = 60_000
/** How long a leader that died stays away where the others are a majority. */
const AWAY_MS = 1_000
const POWER_AWAY_MS = 300
/** How long is waited until a former leader has said what it had to cut off. */
const FOUND_WITHIN_MS = 3_000
const LOOK_EVERY_MS = 50

export async function breakGroup(
  need: BreakNeeds,
): Promise<Pick<FaultsResult, 'outcomes' | 'undecided' | 'violations'>> {
  const { clock, group, setup, fault, parameters, signal, say } = need
  const { namesrv } = group
  const events: HistoryEvent[] = []
  const history = { append: (event: HistoryEvent) => void events.push(event), flush: () => {}, close: () => {} }
  const admin = new Admin({ namesrv, clock })
  await admin.createTopic({ topic: TOPIC, queues: 4 }).finally(() => admin.close())
  const { ratePerSecond } = parameters
  const record = new LoadRecord(clock, history)
  const load = new RecordedLoad({ clock, namesrv, topic: TOPIC, run: RUN, ratePerSecond, history, record })
  const faults: FaultSeen[] = []
  try {
    await load.start()
    for (let n = 1; n <= parameters.kills; n++) {
      say(`${fault === 'kill' ? 'kill' : 'power cut'} ${n} of ${parameters.kills}`)
      faults.push(await breakOnce(need, record))
    }
  } catch (error) {
    // Nobody waits for answers of nodes that are gone.
    void load.stop().catch(() => undefined)
    throw error
  }
  say('reading everything')
  await load.stop()
  const reading = new Workload({ clock, run: RUN, topic: TOPIC, bodyBytes: BODY_BYTES, history })
  await readTopic({
    clock,
    namesrv,
    topic: TOPIC,
    group: 'compare',
    onMessage: (message) => reading.received('the reader', message),
    signal,
  })
  const { lost, counts, findings, undecided } = await checkHistory(events, { isOrdered: () => false, isComplete: true })
  const violations = Object.entries(counts).flatMap(([kind, count]) => {
    if (count === 0 || kind === 'lost') return []
    return [`${count} ${kind}: ${findings.find((finding) => finding.kind === kind)?.text ?? ''}`]
  })
  const stray = unexplained({ events, lost, faults })
  if (stray > 0) violations.push(`${stray} lost that were acknowledged when everything was over`)
  return { outcomes: outcomesOf({ events, lost, faults, windowMs: windowMs(setup, fault) }), undecided, violations }
}

async function breakOnce(
  { clock, group, setup, fault, parameters, signal }: BreakNeeds,
  record: LoadRecord,
): Promise<FaultSeen> {
  await sleep(clock, CALM_MS, signal)
  await record.more(1, RECOVER_WITHIN_MS, signal)
  const before = await group.losses()
  const victims = await group.victims(fault)
  record.resetGap()
  const atMs = clock.monotonicMs()
  record.note(fault)
  await victims.kill()
  const awayMs = fault === 'power' ? POWER_AWAY_MS : setup.nodes > 2 ? AWAY_MS : 0
  if (awayMs > 0) await sleep(clock, awayMs, signal)
  victims.revive()
  await group.serving()
  // More than may still arrive from who is dead.
  await record.more(Math.ceil(parameters.ratePerSecond / 4), RECOVER_WITHIN_MS, signal)
  const { gap } = record
  const mayLose = windowMs(setup, fault) > 0
  const declared = await declaredSince(before, { clock, group, signal, withinMs: mayLose ? FOUND_WITHIN_MS : 0 })
  return { atMs, gap, declared }
}

/** What leaders declared that is not in `before`; waits a while for what former leaders find. */
async function declaredSince(
  before: readonly DeclaredLoss[],
  need: Pick<BreakNeeds, 'clock' | 'group' | 'signal'> & { readonly withinMs: number },
): Promise<readonly DeclaredLoss[]> {
  const { clock, group, signal, withinMs } = need
  const endMs = clock.monotonicMs() + withinMs
  const known = new Set(before.map(({ term }) => term))
  for (;;) {
    const declared = (await group.losses()).filter(({ term }) => !known.has(term))
    const isOpen = declared.some(({ inDoubt, foundMessages }) => !inDoubt && foundMessages === null)
    if (!isOpen || clock.monotonicMs() >= endMs) return declared
    await sleep(clock, LOOK_EVERY_MS, signal)
  }
}
