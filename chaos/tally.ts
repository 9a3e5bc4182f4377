/**
 * What all recorded runs add up to: `chaos/tally.json`, and the table in `docs/testing.md` that is made of it. Paths are
 * of the checkout that the suite runs in.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Result } from './run-scenario.ts'

export interface TallyRow {
  runs: number
  rounds: number
  acknowledged: number
  lost: number
  failed: number
  skipped: number
  gapsMs: number[]
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
  for (const { scenario, mode, outcome, rounds, acknowledged, lost } of results) {
    const key = `${scenario} (${mode.flush} × ${mode.replication})`
    const none: TallyRow = { runs: 0, rounds: 0, acknowledged: 0, lost: 0, failed: 0, skipped: 0, gapsMs: [] }
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
  }
  return tally
}

export function tableOf(tally: Tally): string {
  const rows = Object.entries(tally).map(([key, { runs, rounds, acknowledged, lost, failed, skipped, gapsMs }]) => {
    const gaps = [...gapsMs].sort((a, b) => a - b)
    const at = (part: number): string => String(gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * part))] ?? '–')
    const cells = [key, runs, rounds, acknowledged.toLocaleString('en'), lost, failed, skipped]
    return `| ${[...cells, at(0.5), at(0.99), at(1)].join(' | ')} |`
  })
  return [
    '| scenario | runs | rounds | acknowledged | lost | failed runs | skipped | gap p50 ms | p99 | worst |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n')
}
