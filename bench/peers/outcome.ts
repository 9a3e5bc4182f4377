/** What the turns of a comparison say together: ratios with their bars, everybody's own figures, plots. Pure. */
import { meanOfRole } from '../load/cpu-per-message.ts'
import type { Workload } from '../load/workload.ts'
import type { Plot } from '../../src/report/plot.ts'
import type { Bar, Measured, Metric } from '../scenario.ts'
import { median, spreadOf } from '../../src/report/statistics.ts'
import { figure as text } from '../../src/report/text.ts'
import { isReached } from '../tables.ts'
import type { Comparison, Entrant, FigureName, Relation } from './comparisons.ts'
import { type Judged, ratiosOf } from './rounds.ts'
import type { TurnResult } from './turn.ts'

/** Key of an entrant → its turns, round by round. */
export type Turns = ReadonlyMap<string, readonly Pick<TurnResult, 'workloads' | 'memory'>[]>

/** `fsyncMs`: what 4 KiB written and fdatasync takes on the disk of the stores. */
export function outcomeOf(comparison: Comparison, turns: Turns, fsyncMs: number): Measured {
  return {
    metrics: metricsOf(comparison, turns, fsyncMs),
    notes: notesOf(turns),
    plots: plotsOf(comparison, turns),
  }
}

/** The ratios that have bars. */
export function judgedSoFar({ relations }: Comparison, turns: Turns, fsyncMs: number): readonly Judged[] {
  return relations.flatMap((relation) => {
    const bar = barOf(relation, fsyncMs)
    return bar === undefined || relation.kind !== 'ratio' ? [] : [{ ratios: valuesOf(relation, turns), bar }]
  })
}

/** The last round's figures, for a person who waits. */
export function roundLines({ relations }: Comparison, turns: Turns): readonly string[] {
  return relations.map((relation) => {
    const value = valuesOf(relation, turns).at(-1) ?? Number.NaN
    return `${relationName(relation)}: ${text(value)} ${relationUnit(relation)}`
  })
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
      const cpu = (role: RegExp): readonly number[] =>
        all.flatMap((turn) => meanOfRole(turn.workloads.get(workload.name)?.cpu ?? [], role))
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

/** A load whose rate says something: at saturation, or reading. */
const isRate = ({ ratePerSecond, clients, inFlight, consume }: Workload): boolean =>
  ratePerSecond === undefined && (clients * inFlight > 1 || consume !== undefined)

/** Everybody side by side: rates of one plot, latencies of another. */
function plotsOf({ title, entrants }: Comparison, turns: Turns): readonly Plot[] {
  const all = [...new Set(entrants.flatMap(({ workloads }) => workloads))]
  const plot = (need: {
    readonly what: string
    readonly y: Plot['y']
    readonly figure: FigureName
    readonly workloads: readonly Workload[]
  }): readonly Plot[] => {
    const { what, y, figure, workloads } = need
    if (workloads.length === 0) return []
    const bars = entrants.map(({ key }) => ({
      name: key,
      points: workloads.flatMap((workload, at) => {
        const values = series(turns, key, workload, figure).flatMap((value) => value ?? [])
        return values.length === 0 ? [] : [[at, median(values)] as const]
      }),
    }))
    const categories = workloads.map((workload) => workload.title.replace(/, \d+ (B|KiB)$/, ''))
    return [{ title: `${what}: ${title}`, kind: 'bars', categories, x: { label: '', unit: '' }, y, series: bars }]
  }
  return [
    ...plot({ what: 'Rate', y: { label: 'rate', unit: 'messages/s' }, figure: 'rate', workloads: all.filter(isRate) }),
    ...plot({
      what: 'p99',
      y: { label: 'p99', unit: 'ms' },
      figure: 'p99',
      workloads: all.filter((workload) => !isRate(workload)),
    }),
  ]
}

/** Sends that were not acknowledged are told, not left out. */
function notesOf(turns: Turns): readonly string[] {
  return [...turns].flatMap(([key, all]) => {
    const failed = all.flatMap(({ workloads }) => [...workloads.values()]).map(({ figures }) => figures.failed)
    const sum = failed.reduce((total, value) => total + value, 0)
    return sum === 0 ? [] : [`${key}: ${sum} messages failed (at most ${spreadOf(failed).max} in one run)`]
  })
}
