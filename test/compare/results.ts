/** A comparison as it might have been measured. */
import { planOf, type Parameters, type Step } from '../../src/compare/plan.ts'
import type { Comparison, FaultOutcome, StepResult } from '../../src/compare/results.ts'
import { setupName, type Fault } from '../../src/compare/setups.ts'

export const parameters: Parameters = { nodes: 3, rounds: 2, kills: 2, seconds: 5, ratePerSecond: 2_000 }

const outcome: FaultOutcome = {
  gapMs: 400,
  acknowledged: 3_000,
  lost: 0,
  oldestLostMs: 0,
  atRisk: 100,
  declared: [],
  timeline: Array.from({ length: 70 }, () => 100),
}

const load = (acknowledged: number) => ({
  seconds: 5,
  acknowledged,
  failed: 0,
  p50Ms: 1.5,
  p99Ms: 4,
  p999Ms: 9,
  maxMs: 20,
  bytesWritten: acknowledged * 900,
})

/** `lossesOf`: what the faults of a step lost. */
export function comparisonOf(
  lossesOf: (setup: string, fault: Fault) => readonly Partial<FaultOutcome>[] = () => [],
  steps: readonly Step[] = planOf(parameters),
): Comparison {
  const results = steps.map(({ kind, round, setup }): StepResult => {
    if (kind === 'speed') {
      const saturated = load(setup.nodes === 1 ? 500_000 : 250_000 + round * 1_000)
      return { kind, round, setup, saturated, paced: load(10_000), bytesFrom: 'system' }
    }
    const losses = lossesOf(setupName(setup), kind)
    const outcomes = Array.from({ length: parameters.kills }, (_, at) => ({ ...outcome, ...losses[at] }))
    return { kind, round, setup, outcomes, undecided: 0, violations: [] }
  })
  return {
    format: 1,
    version: '1.2.3',
    parameters,
    machine: {
      machine: { cpu: 'Some <CPU>', cores: 2, memoryGiB: 8, system: 'linux 6 x64' },
      node: 'v20.20.2',
      fsyncMs: 0.6,
      loadBefore: 0.1,
    },
    begunAt: '2026-01-02T03:04:05.000Z',
    results,
  }
}
