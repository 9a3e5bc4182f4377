/**
 * What all recorded runs add up to: `chaos/tally.json`, and the table in `docs/testing.md` that is made of it. Paths are
 * of the checkout that the suite runs in.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { gapText } from './gap-text.ts'
import type { Result } from './run-scenario.ts'
import { workloads } from './workloads.ts'

export interface TallyRow {
  runs: number
  rounds: number
  acknowledged: number
  lost: number
  failed: number
  skipped: number
  /** Of sends. */
  gapsMs: number[]
  deliveryGapsMs: number[]
  /** Of each round, where a mode may lose any. */
  lostOfRounds: number[]
}

export type Tally = Record<string, TallyRow>

const TALLY = 'chaos/tally.json'
const PAGE = 'docs/testing.md'
const BEGIN = '<!-- chaos: begin -->'
const END = '<!-- chaos: end -->'
/** Gaps that are kept of a scenario; the oldest go. */
const MAX_GAPS = 1_000

export function addToTally(results: readonly Result[]): void {
  const tally = added(readTally(), results)
  writeFileSync(TALLY, `${JSON.stringify(tally, null, 1)}\n`)
  const page = readFileSync(PAGE, 'utf8')
  writeFileSync(
    PAGE,
    `${page.slice(0, page.indexOf(BEGIN) + BEGIN.length)}\n${tableOf(tally)}\n${page.slice(page.indexOf(END))}`,
  )
}

function readTally(): Tally {
  // Written by `addToTally` from values of this type.
  return existsSync(TALLY) ? JSON.parse(readFileSync(TALLY, 'utf8')) : {}
}

/** The tally with these results in it. Pure. */
export function added(before: Tally, results: readonly Result[]): Tally {
  const tally: Tally = structuredClone(before)
  for (const { scenario, workload, mode, outcome, rounds, mayLosePerRound, acknowledged, lost } of results) {
    const whose = workload === 'own' ? '' : `, ${workloads[workload].title}`
    const key = `${scenario} (${mode.flush} × ${mode.replication}${whose})`
    const none: TallyRow = {
      runs: 0,
      rounds: 0,
      acknowledged: 0,
      lost: 0,
      failed: 0,
      skipped: 0,
      gapsMs: [],
      deliveryGapsMs: [],
      lostOfRounds: [],
    }
    const row = (tally[key] ??= none)
    if (outcome === 'skipped') {
      row.skipped += 1
      continue
    }
    row.runs += 1
    row.rounds += rounds.length
    row.acknowledged += acknowledged
    row.lost += lost
    row.failed += outcome === 'failed' ? 1 : 0
    row.gapsMs = [...row.gapsMs, ...rounds.map(({ gapMs }) => gapMs)].slice(-MAX_GAPS)
    if (mayLosePerRound > 0) {
      row.lostOfRounds = [...row.lostOfRounds, ...rounds.map((round) => round.lost)].slice(-MAX_GAPS)
    }
    row.deliveryGapsMs = [...row.deliveryGapsMs, ...rounds.map((round) => round.deliveryGapMs)].slice(-MAX_GAPS)
  }
  return tally
}

export function tableOf(tally: Tally): string {
  const rows = Object.entries(tally).map(([key, row]) => {
    const { runs, rounds, acknowledged, lost, failed, skipped, gapsMs, deliveryGapsMs, lostOfRounds } = row
    const cells = [key, runs, rounds, acknowledged.toLocaleString('en'), lost, failed, skipped]
    return `| ${[...cells, gapText(gapsMs), gapText(deliveryGapsMs), gapText(lostOfRounds)].join(' | ')} |`
  })
  return [
    '| scenario | runs | rounds | acknowledged | lost | failed runs | skipped | sends ms | deliveries ms | lost in a round |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
