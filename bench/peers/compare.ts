/** Runs a comparison: rounds of turns, and what they say together. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Children } from '../children.ts'
import { quickWorkload } from '../load/workload.ts'
import type { Measured } from '../scenario.ts'
import { figure as text } from '../../src/report/text.ts'
import type { Comparison, Entrant } from './comparisons.ts'
import { judgedSoFar, outcomeOf, roundLines } from './outcome.ts'
import { needsRound } from './rounds.ts'
import { takeTurn, type TurnResult } from './turn.ts'

export interface CompareNeeds {
  readonly dir: string
  readonly children: Children
  readonly isQuick: boolean
  /** So many rounds; undefined: at least three, up to nine where a ratio is close to its bar. */
  readonly rounds: number | undefined
  /** What 4 KiB written and fdatasync takes on the disk of the stores, in milliseconds. */
  readonly fsyncMs: number
  readonly say: (line: string) => void
}

/** Rejects when an entrant fails: a comparison with half of its rounds says nothing. */
export async function compare(comparison: Comparison, needs: CompareNeeds): Promise<Measured> {
  const { entrants } = comparison
  // Whatever has to be downloaded and compiled is there before the first clock starts.
  for (const { contender } of entrants) await contender.load()
  const turns = new Map<string, TurnResult[]>(entrants.map(({ key }) => [key, []]))
  const fixed = needs.rounds ?? (needs.isQuick ? 1 : undefined)
  for (let round = 0; needsRound(round, judgedSoFar(comparison, turns, needs.fsyncMs), fixed); round++) {
    for (const entrant of entrants) {
      turns.get(entrant.key)?.push(await turnOf(entrant, round, needs))
    }
    for (const line of roundLines(comparison, turns)) needs.say(`round ${round + 1}: ${line}`)
  }
  return outcomeOf(comparison, turns, needs.fsyncMs)
}

async function turnOf({ key, contender, workloads }: Entrant, round: number, needs: CompareNeeds): Promise<TurnResult> {
  const dir = join(needs.dir, `${key.replaceAll(' ', '-')}-${round}`)
  mkdirSync(dir, { recursive: true })
  try {
    const chosen = needs.isQuick ? workloads.map(quickWorkload) : workloads
    const result = await takeTurn(contender, chosen, { dir, children: needs.children })
    for (const { name, title } of workloads) {
      const figures = result.workloads.get(name)?.figures
      if (figures === undefined) continue
      const { messages, seconds, p50, p99, failed } = figures
      const trouble = failed === 0 ? '' : `, ${failed} FAILED`
      needs.say(`${key}, ${title}: ${text(Math.round(messages / seconds))}/s, p50 ${p50} ms, p99 ${p99} ms${trouble}`)
    }
    return result
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
