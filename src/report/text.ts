/** Figures as text, for terminals and pages. Pure. */
import { spreadOf } from './statistics.ts'

/** A figure with as many digits as it deserves. */
export function figure(value: number): string {
  const size = Math.abs(value)
  if (Number.isInteger(value) || size >= 1000) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** `median (min–max)`, or the only value there is. */
export function spreadText({ values, unit }: { readonly values: readonly number[]; readonly unit: string }): string {
  const { median, min, max } = spreadOf(values)
  const spread = values.length === 1 ? figure(median) : `${figure(median)} (${figure(min)}–${figure(max)})`
  return `${spread} ${unit}`.trimEnd()
}

export function markdownTable(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows
  return [markdownRow(head), `|${head.map(() => ' --- |').join('')}`, ...body.map(markdownRow)].join('\n')
}

function markdownRow(row: readonly string[]): string {
  return `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
