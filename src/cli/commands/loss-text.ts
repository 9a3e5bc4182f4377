/** What elections may have lost, for people. */
import { field, integerOf, listOf, parseBody, textOf } from '../../client/core/java-json.ts'
import { bytesText, counted } from './client-io.ts'

export interface LossStatus {
  /** The election's. */
  readonly term: number
  readonly maxBytes: number
  readonly inDoubt: boolean
  readonly found: (Count & { readonly reports: readonly (Count & ReportOf)[] }) | null
}

interface Count {
  readonly messages: number
  readonly bytes: number
  /** Of the log, at most: what had rotted and could not be set aside. */
  readonly rottenBytes: number
}

interface ReportOf {
  readonly node: string
  /** Which the node had led. */
  readonly term: number
}

/** `raftmq.losses` of a node's runtime information. */
export function lossesOf(text: string | null): LossStatus[] {
  return listOf(text === null ? [] : parseBody(Buffer.from(text))).map((row) => {
    const found = field(row, 'found')
    return {
      term: numberOf(row, 'term'),
      maxBytes: numberOf(row, 'maxBytes'),
      inDoubt: field(row, 'inDoubt') === true,
      found: found === undefined ? null : { ...countOf(found), reports: listOf(field(found, 'reports')).map(reportOf) },
    }
  })
}

const numberOf = (row: unknown, name: string): number => integerOf(field(row, name)) ?? 0

const countOf = (row: unknown): Count => ({
  messages: numberOf(row, 'messages'),
  bytes: numberOf(row, 'bytes'),
  rottenBytes: numberOf(row, 'rottenBytes'),
})

const reportOf = (row: unknown): Count & ReportOf => ({
  node: textOf(field(row, 'node')) ?? '',
  term: numberOf(row, 'term'),
  ...countOf(row),
})

/** A line for every election that may have lost something, or has. */
export function lossText(leader: { readonly losses: readonly LossStatus[] } | undefined): string {
  return (leader?.losses ?? []).map(lineOf).join('')
}

function lineOf({ term, maxBytes, inDoubt, found }: LossStatus): string {
  if (found === null) {
    const why = inDoubt ? 'logs in doubt elected it' : 'until the old leader is back'
    return `  the election of term ${term} may have lost 0 to ${bytesText(maxBytes)} of acknowledged messages (${why})\n`
  }
  const { reports, rottenBytes } = found
  const rotten =
    rottenBytes === 0 ? '' : `  the election of term ${term} lost up to ${bytesText(rottenBytes)} that had rotted\n`
  if (found.messages === 0) return rotten
  const where =
    reports.length === 1
      ? `set aside on ${reports[0]?.node ?? ''}`
      : reports.map((report) => `${countText(report)} of term ${report.term} set aside on ${report.node}`).join(', ')
  return `  the election of term ${term} lost ${countText(found)}: ${where} (raftmq lost)\n${rotten}`
}

function countText({ messages, bytes }: Count): string {
  return `${counted(messages, 'message')} (${bytesText(bytes)})`
}
