/** What all campaigns together have run: `sim/tally.json`, and the tables of `docs/testing.md` made of it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { markdownTable } from '../src/report/text.ts'
import type { ChunkReport } from './chunk.ts'
import type { KeptSeed } from './kept-seeds.ts'
import { scopeNames, type Scope } from './scopes.ts'
import { Counts, type CountsByName } from './world/counts.ts'

export interface ScopeTally {
  readonly seeds: number
  /** The first seed that no campaign has run. */
  readonly nextSeed: number
  readonly simulatedMs: number
  readonly leaders: number
  readonly commits: number
  readonly faults: CountsByName
}

export type Tally = Readonly<Record<Scope, ScopeTally>>

const HOUR_MS = 3_600_000
const nothing: ScopeTally = { seeds: 0, nextSeed: 1, simulatedMs: 0, leaders: 0, commits: 0, faults: {} }

export function readTally(file: string): Tally {
  const read: Partial<Record<Scope, ScopeTally>> = JSON.parse(readFileSync(file, 'utf8'))
  return mapScopes((scope) => read[scope] ?? nothing)
}

/** Whole or not at all: a campaign may be interrupted at any moment. */
export function writeTally(file: string, tally: Tally): void {
  writeFileSync(`${file}.tmp`, `${JSON.stringify(tally, null, 2)}\n`)
  renameSync(`${file}.tmp`, file)
}

/** `nextSeed`: everything below it was run. */
export function addToTally(tally: Tally, scope: Scope, report: ChunkReport, nextSeed: number): Tally {
  const before = tally[scope]
  const faults = new Counts()
  faults.addAll(before.faults)
  faults.addAll(report.faults)
  const after: ScopeTally = {
    seeds: before.seeds + report.seeds,
    nextSeed: Math.max(before.nextSeed, nextSeed),
    simulatedMs: Math.round(before.simulatedMs + report.simulatedMs),
    leaders: before.leaders + report.leaders,
    commits: before.commits + report.commits,
    faults: faults.byName,
  }
  return mapScopes((each) => (each === scope ? after : tally[each]))
}

/** The text between the markers of the page. Kept seeds run with every `npm test`: what they found is fixed. */
export function tallyTables(tally: Tally, kept: readonly KeptSeed[]): string {
  const rows: readonly (readonly [what: string, of: (each: ScopeTally, scope: Scope) => number])[] = [
    ['seeds', ({ seeds }) => seeds],
    ['simulated hours', ({ simulatedMs }) => Math.round(simulatedMs / HOUR_MS)],
    ['leaders elected', ({ leaders }) => leaders],
    ['entries committed', ({ commits }) => commits],
    ['faults injected', ({ faults }) => Object.values(faults).reduce((sum, count) => sum + count, 0)],
    ['violations found and fixed', (_, scope) => kept.filter(({ options }) => options.world.scope === scope).length],
  ]
  const names = [...new Set(scopeNames.flatMap((scope) => Object.keys(tally[scope].faults)))].sort()
  const sums = [
    ['', ...scopeNames],
    ...rows.map(([what, of]) => [what, ...scopeNames.map((scope) => count(of(tally[scope], scope)))]),
  ]
  const faults = [
    ['fault', ...scopeNames],
    ...names.map((name) => [name, ...scopeNames.map((scope) => count(tally[scope].faults[name] ?? 0))]),
  ]
  return `${markdownTable(sums)}\n\n${markdownTable(faults)}`
}

const count = (value: number): string => (value === 0 ? '–' : value.toLocaleString('en-US'))

function mapScopes(of: (scope: Scope) => ScopeTally): Tally {
  const entries = scopeNames.map((scope): readonly [Scope, ScopeTally] => [scope, of(scope)])
  const tally: Partial<Record<Scope, ScopeTally>> = Object.fromEntries(entries)
  return { core: nothing, node: nothing, ...tally }
}
