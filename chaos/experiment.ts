export interface Verdict {
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** One sentence: what holds, or what does not and how that was seen. */
  readonly text: string
}

/** Runs with its arguments of the command line and judges what happened. */
export type Experiment = (args: readonly string[]) => Promise<readonly Verdict[]>
