/** Carries out what is left of the plan, and keeps every result as soon as it is there. */
import type { Clock } from '../lib/clock.ts'
import { breakGroup } from './break-group.ts'
import type { Groups } from './group.ts'
import { measureSpeed } from './measure-speed.ts'
import { planOf, remaining, type Step } from './plan.ts'
import type { Comparison, StepResult } from './results.ts'
import { setupName } from './setups.ts'

export interface RunNeeds {
  readonly clock: Clock
  readonly groups: Groups
  readonly signal: AbortSignal
  /** Called after every step; what it was given is what a later run begins with. */
  readonly save: (comparison: Comparison) => void
  readonly look: (progress: Progress) => void
}

export interface Progress {
  /** Of the step that runs, from 1. */
  readonly number: number
  readonly total: number
  /** What runs: setup, step, what of it. */
  readonly text: string
  /** By what the steps of this run took so far; undefined: none is done. */
  readonly secondsLeft: number | undefined
}

const TITLES = { speed: 'throughput and latency', kill: 'kills of the leader', power: 'power cuts' } as const

/** Resolves with all results. Rejects with the signal's reason when it aborts, and with what made a step impossible. */
export async function runComparison(before: Comparison, need: RunNeeds): Promise<Comparison> {
  const { clock, signal, save, look } = need
  const { parameters } = before
  const steps = remaining(parameters, before.results)
  const total = planOf(parameters).length
  const startMs = clock.monotonicMs()
  let comparison = before
  for (const [at, step] of steps.entries()) {
    const seconds = (clock.monotonicMs() - startMs) / 1_000
    const secondsLeft = at === 0 ? undefined : Math.round((seconds / at) * (steps.length - at))
    const number = total - steps.length + at + 1
    const title = `round ${step.round}, ${setupName(step.setup)}, ${TITLES[step.kind]}`
    const say = (text: string): void => look({ number, total, text: `${title}: ${text}`, secondsLeft })
    signal.throwIfAborted()
    const result = await runStep(step, comparison, { ...need, say })
    comparison = { ...comparison, results: [...comparison.results, result] }
    save(comparison)
  }
  return comparison
}

async function runStep(
  step: Step,
  { parameters }: Comparison,
  { clock, groups, signal, say }: RunNeeds & { readonly say: (text: string) => void },
): Promise<StepResult> {
  const { setup, kind } = step
  say('starting')
  const group = await groups.start(setup, { keepsBack: kind === 'power' })
  const shared = { clock, group, parameters, signal, say }
  try {
    if (kind === 'speed') return { ...step, kind, ...(await measureSpeed(shared)) }
    return { ...step, kind, ...(await breakGroup({ ...shared, setup, fault: kind })) }
  } finally {
    await group.close()
  }
}
