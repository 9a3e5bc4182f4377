/** What the results of one setup say together. Pure. */
import type { Comparison, FaultOutcome, FaultsResult, LoadFigures, SpeedResult, StepResult } from './results.ts'
import { setupName, setupsOf, windowMs, type Fault, type Setup } from './setups.ts'

export interface LossSummary {
  readonly windowMs: number
  readonly outcomes: readonly FaultOutcome[]
  readonly acknowledged: number
  readonly lost: number
  /** Faults that lost something. */
  readonly losing: number
  /** Of one fault. */
  readonly worst: number
  readonly oldestLostMs: number
  /** What the mode may have lost, of the fault where that was most. */
  readonly mostAtRisk: number
  /** Faults that lost something, and no leader said so. */
  readonly undeclared: number
  readonly isBeyondBound: boolean
  readonly violations: readonly string[]
}

export interface SetupSummary {
  readonly setup: Setup
  /** Empty where nothing was measured yet; otherwise a value for each round. */
  readonly acksPerSecond: readonly number[]
  readonly p50Ms: readonly number[]
  readonly p99Ms: readonly number[]
  /** By all nodes for one message, under the load that is as fast as it goes, and at the fixed rate. */
  readonly bytesSaturated: readonly number[]
  readonly bytesPaced: readonly number[]
  /** Of every kill, in milliseconds. */
  readonly gapsMs: readonly number[]
  readonly kill: LossSummary
  readonly power: LossSummary
}

/** In the order of the setups. */
export function summaries({
  parameters,
  results,
}: Pick<Comparison, 'parameters' | 'results'>): readonly SetupSummary[] {
  return setupsOf(parameters.nodes).map((setup) => {
    const own = results.filter((result) => setupName(result.setup) === setupName(setup))
    const speeds = own.filter(isSpeed)
    const of = (read: (speed: SpeedResult) => number): readonly number[] => speeds.map(read)
    const kill = lossSummary(setup, 'kill', own)
    return {
      setup,
      acksPerSecond: of(({ saturated }) => saturated.acknowledged / saturated.seconds),
      p50Ms: of(({ paced }) => paced.p50Ms),
      p99Ms: of(({ paced }) => paced.p99Ms),
      bytesSaturated: of(({ saturated }) => bytesEach(saturated)),
      bytesPaced: of(({ paced }) => bytesEach(paced)),
      gapsMs: kill.outcomes.map(({ gapMs }) => gapMs),
      kill,
      power: lossSummary(setup, 'power', own),
    }
  })
}

function lossSummary(setup: Setup, fault: Fault, results: readonly StepResult[]): LossSummary {
  const own = results.filter((result): result is FaultsResult => result.kind === fault)
  const outcomes = own.flatMap((result) => result.outcomes)
  const allowedMs = windowMs(setup, fault)
  const most = (of: (outcome: FaultOutcome) => number): number =>
    outcomes.reduce((high, one) => Math.max(high, of(one)), 0)
  const sum = (of: (outcome: FaultOutcome) => number): number => outcomes.reduce((all, one) => all + of(one), 0)
  const losing = outcomes.filter(({ lost }) => lost > 0)
  return {
    windowMs: allowedMs,
    outcomes,
    acknowledged: sum(({ acknowledged }) => acknowledged),
    lost: sum(({ lost }) => lost),
    losing: losing.length,
    worst: most(({ lost }) => lost),
    oldestLostMs: most(({ oldestLostMs }) => oldestLostMs),
    mostAtRisk: most(({ atRisk }) => atRisk),
    undeclared: losing.filter(({ declared }) => declared.length === 0).length,
    isBeyondBound: losing.some(({ oldestLostMs }) => allowedMs === 0 || oldestLostMs > allowedMs),
    violations: own.flatMap(({ violations }) => violations),
  }
}

const isSpeed = (result: StepResult): result is SpeedResult => result.kind === 'speed'

const bytesEach = ({ bytesWritten, acknowledged }: LoadFigures): number =>
  acknowledged === 0 ? 0 : bytesWritten / acknowledged
