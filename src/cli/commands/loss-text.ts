/** What elections may have lost, for people. */
import { field, integerOf, listOf, parseBody, textOf } from '../../client/core/java-json.ts'
import { bytesText } from './client-io.ts'

export interface LossStatus {
  /** The election's. */
  readonly term: number
  readonly maxBytes: number
  readonly inDoubt: boolean
  readonly found: { readonly node: string; readonly messages: number; readonly bytes: number } | null
}

/** `raftmq.losses` of a node's runtime information. */
export function lossesOf(text: string | null): LossStatus[] {
  return listOf(text === null ? [] : parseBody(Buffer.from(text))).map((row) => {
    const number = (name: string, of: unknown = row): number => integerOf(field(of, name)) ?? 0
    const found = field(row, 'found')
    return {
      term: number('term'),
      maxBytes: number('maxBytes'),
      inDoubt: field(row, 'inDoubt') === true,
      found:
        found === undefined
          ? null
          : {
              node: textOf(field(found, 'node')) ?? '',
              messages: number('messages', found),
              bytes: number('bytes', found),
            },
    }
  })
}

/** A line for every election that may have lost something, or has. */
export function lossText(leader: { readonly losses: readonly LossStatus[] } | undefined): string {
  return (leader?.losses ?? []).map(lineOf).join('')
}

function lineOf({ term, maxBytes, inDoubt, found }: LossStatus): string {
  if (found === null) {
    const why = inDoubt ? 'logs in doubt elected it' : 'until the old leader is back'
    return `  the election of term ${term} may have lost 0 to ${bytesText(maxBytes)} of acknowledged messages (${why})\n`
  }
  if (found.messages === 0) return ''
  const what = `${found.messages} ${found.messages === 1 ? 'message' : 'messages'} (${bytesText(found.bytes)})`
  return `  the election of term ${term} lost ${what}: set aside on ${found.node} (raftmq lost)\n`
}
