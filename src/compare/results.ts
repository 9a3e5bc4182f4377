/** What was measured, as it is kept in `compare.json`. */
import type { MachineFacts } from '../report/machine.ts'
import type { Parameters, Step } from './plan.ts'
import type { Fault } from './setups.ts'

/** What a group did under a load. */
export interface LoadFigures {
  readonly seconds: number
  readonly acknowledged: number
  /** Refused or undecided. */
  readonly failed: number
  /** From when a message was due until its acknowledgement, in milliseconds. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  /** By all nodes together, meanwhile. */
  readonly bytesWritten: number
}

export interface SpeedResult extends Step {
  readonly kind: 'speed'
  /** As fast as the group takes it. */
  readonly saturated: LoadFigures
  /** At the rate of the parameters. */
  readonly paced: LoadFigures
  /** Who counted the bytes: the system (`/proc/PID/io`), or the ends of the nodes' logs where it does not. */
  readonly bytesFrom: 'system' | 'logs'
}

/** An interval that a leader told: what its election may have lost. */
export interface DeclaredLoss {
  readonly term: number
  readonly maxBytes: number
  readonly inDoubt: boolean
  /** What the former leader had to set aside; null: it has not been heard, or never will be. */
  readonly foundMessages: number | null
}

export interface FaultOutcome {
  /** The longest time without an acknowledgement around the fault. */
  readonly gapMs: number
  /** Acknowledged since the fault before. */
  readonly acknowledged: number
  /** Of these, what a reader from the start of the topic does not find afterwards. */
  readonly lost: number
  /** How long before the fault the oldest of them had been acknowledged; 0: nothing is lost. */
  readonly oldestLostMs: number
  /** Acknowledged within the window before the fault: what the mode may lose. */
  readonly atRisk: number
  /** What leaders declared since the fault. */
  readonly declared: readonly DeclaredLoss[]
  /** Acknowledgements from `TIMELINE.fromMs` on, relative to the fault, in each `TIMELINE.stepMs`; up to the next fault. */
  readonly timeline: readonly number[]
}

export interface FaultsResult extends Step {
  readonly kind: Fault
  readonly outcomes: readonly FaultOutcome[]
  readonly undecided: number
  /** What the checkers found beside losses; nothing, if all is well. */
  readonly violations: readonly string[]
}

export type StepResult = SpeedResult | FaultsResult

export interface Comparison {
  readonly format: typeof FORMAT
  /** Of the package. */
  readonly version: string
  readonly parameters: Parameters
  readonly machine: MachineFacts
  /** When it began, in ISO 8601. */
  readonly begunAt: string
  readonly results: readonly StepResult[]
}

export const FORMAT = 1
export const TIMELINE = { fromMs: -500, toMs: 3_000, stepMs: 50 } as const
