/** Runs a comparison: rounds of turns, and what they say together. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Children } from '../children.ts'
import type { Bar, Measured, Metric } from '../scenario.ts'
import { spreadOf } from '../statistics.ts'
import { figure as text, isReached } from '../tables.ts'
import type { Comparison, Entrant, FigureName, Relation } from './comparisons.ts'
import { needsRound, ratiosOf } from './rounds.ts'
import { takeTurn, type TurnResult } from './turn.ts'
import { quickWorkload, type Workload } from './workloads.ts'

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

/** Key of an entrant → its turns, round by round. */
type Turns = ReadonlyMap<string, readonly TurnResult[]>

/** Rejects when an entrant fails: a comparison with half of its rounds says nothing. */
export async function compare(comparison: Comparison, needs: CompareNeeds): Promise<Measured> {
  const { entrants, relations } = comparison
  // Whatever has to be downloaded and compiled is there before the first clock starts.
  for (const { contender } of entrants) await contender.load()
  const turns = new Map<string, TurnResult[]>(entrants.map(({ key }) => [key, []]))
  const judged = (): { ratios: readonly number[]; bar: Bar }[] =>
    relations.flatMap((relation) => {
      const bar = barOf(relation, needs.fsyncMs)
      return bar === undefined || relation.kind !== 'ratio' ? [] : [{ ratios: valuesOf(relation, turns), bar }]
    })
  const fixed = needs.rounds ?? (needs.isQuick ? 1 : undefined)
  for (let round = 0; needsRound(round, judged(), fixed); round++) {
    for (const entrant of entrants) {
      turns.get(entrant.key)?.push(await turnOf(entrant, round, needs))
    }
    for (const relation of relations) {
      const value = valuesOf(relation, turns).at(-1) ?? Number.NaN
      needs.say(`round ${round + 1}: ${relationName(relation)}: ${text(value)} ${relationUnit(relation)}`)
    }
  }
  return { metrics: metricsOf(comparison, turns, needs.fsyncMs), notes: notesOf(turns) }
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

function figureOf(turn: TurnResult | undefined, workload: Workload, name: FigureName): number | undefined {
  const figures = turn?.workloads.get(workload.name)?.figures
  if (figures === undefined) return undefined
  return name === 'rate' ? figures.messages / figures.seconds : figures[name]
}

function series(turns: Turns, key: string, workload: Workload, name: FigureName): readonly (number | undefined)[] {
  return (turns.get(key) ?? []).map((turn) => figureOf(turn, workload, name))
}

/** Round by round. */
function valuesOf({ kind, of, to, workload, figure }: Relation, turns: Turns): readonly number[] {
  const [ours, theirs] = [series(turns, of, workload, figure), series(turns, to, workload, figure)]
  if (kind === 'ratio') return ratiosOf(ours, theirs)
  return ours.flatMap((our, round) => {
    const their = theirs[round]
    return our === undefined || their === undefined ? [] : [our - their]
  })
}

function barOf({ bar }: Relation, fsyncMs: number): Bar | undefined {
  if (bar === undefined) return undefined
  const { fsyncs = 0, ...rest } = bar
  return { ...rest, value: rest.value + fsyncs * fsyncMs }
}

const figureNames = { rate: 'rate', p50: 'p50', p99: 'p99', p999: 'p99.9' } as const

const relationName = ({ of, to, workload, figure, kind }: Relation): string =>
  `${workload.title}, ${figureNames[figure]}: ${of} ${kind === 'ratio' ? '÷' : '−'} ${to}`

const relationUnit = ({ kind }: Relation): string => (kind === 'ratio' ? '×' : 'ms')

function metricsOf({ entrants, relations }: Comparison, turns: Turns, fsyncMs: number): readonly Metric[] {
  const judged = relations.flatMap((relation): readonly Metric[] => {
    const values = valuesOf(relation, turns)
    if (values.length === 0) return []
    const bar = barOf(relation, fsyncMs)
    const metric: Metric = { name: relationName(relation), unit: relationUnit(relation), values }
    const share = shareOfCeiling(relation, turns)
    if (bar === undefined) return [metric]
    if (share === undefined) return [{ ...metric, bar }]
    return eitherOf({ ...metric, bar }, share)
  })
  return [...judged, ...entrants.flatMap((entrant) => figuresOf(entrant, turns))]
}

type Barred = Metric & { readonly bar: Bar }

/** Two figures of which one has to reach its bar. */
function eitherOf(ratio: Barred, share: Barred): readonly Metric[] {
  const or = (metric: Barred, why: string): Metric => ({ ...metric, bar: { ...metric.bar, or: why } })
  return [
    isReached(share) === true ? or(ratio, 'by the share of the ceiling') : ratio,
    isReached(ratio) === true ? or(share, 'by the ratio') : share,
  ]
}

function shareOfCeiling({ of, workload, figure, orShareOf }: Relation, turns: Turns): Barred | undefined {
  if (orShareOf === undefined) return undefined
  const { ceiling, share } = orShareOf
  const values = ratiosOf(series(turns, of, workload, figure), series(turns, ceiling, workload, figure))
  if (values.length === 0) return undefined
  const name = `${workload.title}, ${figureNames[figure]}: ${of} ÷ ${ceiling}, the ceiling of the client`
  return { name, unit: '×', values, bar: { kind: 'least', value: share, of: 'median' } }
}

/** What an entrant did by itself: figures of its workloads, processor time, memory. */
function figuresOf({ key, workloads }: Entrant, turns: Turns): readonly Metric[] {
  const all = turns.get(key) ?? []
  const metric = (name: string, unit: string, values: readonly (number | undefined)[]): readonly Metric[] => {
    const known = values.flatMap((value) => value ?? [])
    return known.length === 0 ? [] : [{ name: `${key}: ${name}`, unit, values: known }]
  }
  const memory = (name: 'rssMegabytes' | 'unmappedMegabytes'): readonly number[] =>
    all.flatMap(({ memory }) => (memory.length === 0 ? [] : [Math.max(...memory.map((node) => node[name]))]))
  return [
    ...workloads.flatMap((workload) => {
      const of = (name: FigureName): readonly (number | undefined)[] => series(turns, key, workload, name)
      const cpu = (role: RegExp): readonly number[] => all.flatMap((turn) => cpuOf(turn, workload, role))
      return [
        ...(workload.ratePerSecond === undefined ? metric(`${workload.title}, rate`, '/s', of('rate')) : []),
        ...(workload.consume === undefined ? metric(`${workload.title}, p50`, 'ms', of('p50')) : []),
        ...(workload.consume === undefined ? metric(`${workload.title}, p99`, 'ms', of('p99')) : []),
        ...metric(`${workload.title}, processor time of the leader for a message`, 'µs', cpu(/^leader$/)),
        ...metric(`${workload.title}, processor time of each other node for a message`, 'µs', cpu(/^(?!leader$)/)),
      ]
    }),
    ...metric('memory of the largest node after the load (RSS)', 'MB', memory('rssMegabytes')),
    ...metric('the same without mapped files', 'MB', memory('unmappedMegabytes')),
  ]
}

/** The mean of the nodes in that role; nothing where there is none. */
function cpuOf(turn: TurnResult, { name }: Workload, role: RegExp): readonly number[] {
  const micros = (turn.workloads.get(name)?.cpu ?? []).filter((node) => role.test(node.role)).map((node) => node.micros)
  return micros.length === 0 ? [] : [micros.reduce((sum, value) => sum + value, 0) / micros.length]
}

/** Sends that were not acknowledged are told, not left out. */
function notesOf(turns: Turns): readonly string[] {
  return [...turns].flatMap(([key, all]) => {
    const failed = all.flatMap(({ workloads }) => [...workloads.values()]).map(({ figures }) => figures.failed)
    const sum = failed.reduce((total, value) => total + value, 0)
    return sum === 0 ? [] : [`${key}: ${sum} messages failed (at most ${spreadOf(failed).max} in one run)`]
  })
}
