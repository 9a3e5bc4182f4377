/** Runs a scenario once for every step of its leader, which is lost there; and for every number of entries that it had
 * in flight and that reached a majority all the same. */
import { errorMessage } from '../../../src/lib/errors.ts'
import { Group, type Setting } from './group.ts'
import type { End, Step } from './leader.ts'

export interface Scenario<Seen> extends Setting {
  /** What clients do, and the time that passes. */
  run(group: Group): Promise<Seen>
  /** Throws when the group did not do what it must have done. */
  check(group: Group, seen: Seen): void
}

/**
 * How leaders are lost: one dies; three die in a row, each at this step of its own; one is deposed and leads again, at
 * once or when another has led for a while.
 */
export const losses = ['one dies', 'three die', 'one is deposed for a moment', 'one is deposed for a while'] as const
export type Losses = (typeof losses)[number]

const ends: Readonly<Record<Losses, (end: Pick<End, 'step' | 'kept'>) => readonly End[]>> = {
  'one dies': (end) => [{ ...end, way: 'dies' }],
  'three die': (end) => Array.from({ length: 3 }, () => ({ ...end, way: 'dies' })),
  'one is deposed for a moment': (end) => [{ ...end, way: 'deposed', returnMs: 0 }],
  'one is deposed for a while': (end) => [{ ...end, way: 'deposed', returnMs: 700 }],
}

export interface Explored {
  readonly runs: number
  readonly steps: readonly Step[]
}

/** Throws with the first runs that failed. */
export async function explore<Seen>(scenario: Scenario<Seen>, how: Losses): Promise<Explored> {
  const steps = await runOnce(scenario, [])
  const failures: string[] = []
  let runs = 0
  for (const [at, { what, inFlight }] of steps.entries()) {
    for (let kept = 0; kept <= inFlight; kept++) {
      runs++
      try {
        await runOnce(scenario, ends[how]({ step: at + 1, kept }))
      } catch (error) {
        failures.push(`at step ${at + 1} (${what}), ${kept} of ${inFlight} entries kept: ${errorMessage(error)}`)
      }
    }
  }
  if (failures.length > 0) {
    throw new Error(`${failures.length} of ${runs} runs fail, the first:\n${failures.slice(0, 5).join('\n')}`)
  }
  return { runs, steps }
}

async function runOnce<Seen>(scenario: Scenario<Seen>, all: readonly End[]): Promise<readonly Step[]> {
  const group = new Group(scenario, all)
  try {
    const seen = await scenario.run(group)
    scenario.check(group, seen)
    const differences = group.differences()
    if (differences.length > 0) throw new Error(`the last leader's tables are others: ${differences.join()}`)
    return group.steps
  } finally {
    group.close()
  }
}
