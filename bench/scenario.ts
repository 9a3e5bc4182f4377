/** What a scenario is given and what it gives back. */
import type { Children } from './children.ts'
import type { Plot } from '../src/report/plot.ts'

/** What a figure is to reach; `least`: the higher the better. */
export interface Bar {
  readonly kind: 'least' | 'most' | 'below'
  readonly value: number
  /** Which of the samples is held against it. */
  readonly of: 'median' | 'min' | 'max'
  /** Where another figure may stand in for this one and does: which. The bar then counts as reached. */
  readonly or?: string
}

export interface Metric {
  readonly name: string
  readonly unit: string
  /** One per run, kill, transfer or sample. Never empty. */
  readonly values: readonly number[]
  readonly bar?: Bar
}

export interface Measured {
  readonly metrics: readonly Metric[]
  /** What else was seen, in sentences: conditions, and failures that no figure shows. */
  readonly notes: readonly string[]
  readonly plots?: readonly Plot[]
}

/** Instead of a measurement: why there is none. */
export interface Skipped {
  readonly skipped: string
}

export interface Bench {
  /** A folder of this scenario alone, removed after it. */
  readonly dir: string
  /** Short, to see that it works: its figures are not to be published. */
  readonly isQuick: boolean
  /** A line of progress for a person. */
  readonly say: (line: string) => void
  /** Processes that must not outlive this one. */
  readonly children: Children
  /** How long the long runs are. */
  readonly soakMinutes: number
}

export interface Scenario {
  readonly name: string
  /** One line: what is measured. */
  readonly title: string
  readonly run: (bench: Bench) => Promise<Measured | Skipped>
}
