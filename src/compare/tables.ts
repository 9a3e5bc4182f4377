/** The comparison as rows of text: for a terminal, a page, a document. Pure. */
import { machineText } from '../report/machine.ts'
import { figure, markdownTable, spreadText } from '../report/text.ts'
import { parametersText, planOf, type Parameters } from './plan.ts'
import type { Comparison } from './results.ts'
import { acknowledgedWhen, setupName, type Fault } from './setups.ts'
import { summaries, type LossSummary, type SetupSummary } from './summary.ts'

export type Rows = readonly [head: readonly string[], ...body: (readonly string[])[]]

/** One row a setup: what an engineer chooses by. */
export function speedRows(all: readonly SetupSummary[], { ratePerSecond }: Pick<Parameters, 'ratePerSecond'>): Rows {
  const rate = `${figure(ratePerSecond)}/s`
  const head = ['setup', 'acknowledged/s', `p50 at ${rate}`, `p99 at ${rate}`, 'failover', 'written a message']
  return [
    [...head, 'lost by kills', 'lost by power cuts'],
    ...all.map((one) => [
      setupName(one.setup),
      spread(one.acksPerSecond, ''),
      spread(one.p50Ms, 'ms'),
      spread(one.p99Ms, 'ms'),
      spread(one.gapsMs, 'ms'),
      spread(one.bytesSaturated, 'B'),
      lostText(one.kill),
      lostText(one.power),
    ]),
  ]
}

/** A row for each setup and fault: what was lost, what might have been, and whether it was told. */
export function lossRows(all: readonly SetupSummary[]): Rows {
  return [
    ['setup', 'fault', 'times', 'acknowledged', 'lost', 'by', 'most by one', 'oldest lost', 'may lose', 'declared'],
    ...all.flatMap(({ setup, kill, power }) =>
      (['kill', 'power'] as const).map((fault) => {
        const loss = fault === 'kill' ? kill : power
        return [setupName(setup), FAULTS[fault], figure(loss.outcomes.length), ...lossCells(loss)]
      }),
    ),
  ]
}

/** What each setup promises. */
export function promiseRows(all: readonly SetupSummary[]): Rows {
  return [
    ['setup', 'a send is acknowledged when it is', 'a kill of the leader may lose', 'a power cut of all may lose'],
    ...all.map(({ setup, kill, power }) => [
      setupName(setup),
      acknowledgedWhen(setup),
      mayLoseText(kill),
      mayLoseText(power),
    ]),
  ]
}

const FAULTS: Readonly<Record<Fault, string>> = { kill: 'kill -9 of the leader', power: 'power cut of all' }

/** What broke its promise, a line each; nothing, if all is well. */
export function troubles(all: readonly SetupSummary[]): readonly string[] {
  return all.flatMap(({ setup, kill, power }) =>
    [['kill', kill] as const, ['power', power] as const].flatMap(([fault, loss]) => {
      const where = `${setupName(setup)}, ${FAULTS[fault]}`
      return [
        ...(loss.isBeyondBound ? [`${where}: lost what it may not lose (${mayLoseText(loss)})`] : []),
        ...(loss.undeclared > 0 ? [`${where}: ${loss.undeclared} losses were not declared`] : []),
        ...loss.violations.map((text) => `${where}: ${text}`),
      ]
    }),
  )
}

function lossCells(loss: LossSummary): readonly string[] {
  const { outcomes, acknowledged, lost, worst, oldestLostMs, losing, undeclared, mostAtRisk } = loss
  if (outcomes.length === 0) return ['–', '–', '–', '–', '–', mayLoseText(loss), '–']
  const nothing = lost === 0
  const declared = undeclared === 0 ? 'yes' : `NOT ${undeclared} of ${losing}`
  return [
    figure(acknowledged),
    figure(lost),
    nothing ? '' : `${losing} of ${outcomes.length}`,
    nothing ? '' : figure(worst),
    nothing ? '' : `${figure(Math.round(oldestLostMs))} ms before`,
    loss.windowMs === 0 ? 'nothing' : `${mayLoseText(loss)}: ${figure(mostAtRisk)}`,
    nothing ? '' : declared,
  ]
}

const mayLoseText = ({ windowMs }: LossSummary): string =>
  windowMs === 0 ? 'nothing' : `the last ${figure(windowMs)} ms`

/** `0 of 9,000`. */
const lostText = ({ outcomes, acknowledged, lost }: LossSummary): string =>
  outcomes.length === 0 ? '–' : `${figure(lost)} of ${figure(acknowledged)}`

const spread = (values: readonly number[], unit: string): string =>
  values.length === 0 ? '–' : spreadText({ values, unit })

/** Where, how and how much of it was measured. */
export function sourceText({ version, parameters, machine, begunAt, results }: Comparison): string {
  const total = planOf(parameters).length
  const part = results.length < total ? `, ${results.length} of ${total} steps so far` : ''
  return (
    `\`raftmq compare ${parametersText(parameters)}\`${part}; raftmq ${version}, ${begunAt.slice(0, 10)}, ` +
    `${machineText(machine)}; 4 KiB written and fdatasync ${machine.fsyncMs} ms; load average ${machine.loadBefore} before it began`
  )
}

/** For a document: the tables, and where they are from. */
export function markdown(comparison: Comparison): string {
  const all = summaries(comparison)
  const found = troubles(all)
  return [
    `Median (minimum–maximum) of ${sourceText(comparison)}.`,
    markdownTable(speedRows(all, comparison.parameters)),
    markdownTable(lossRows(all)),
    ...(found.length === 0 ? [] : [found.map((line) => `- **${line}**`).join('\n')]),
    '',
  ]
    .join('\n\n')
    .trimEnd()
    .concat('\n')
}
