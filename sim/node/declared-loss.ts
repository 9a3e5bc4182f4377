/** What the group says that its elections may have lost (`raftmq.losses` of code 28), as its operator reads it. */
import { Violation } from '../world/violation.ts'

export interface DeclaredLoss {
  /** An election stood on logs in doubt: what was committed may be gone, too. */
  readonly isInDoubt: boolean
  /** Sum of all bounds; 0: nothing was declared. */
  readonly maxBytes: number
  /** Nodes that said what they had set aside. */
  readonly toldBy: ReadonlySet<string>
}

export const nothingLost: DeclaredLoss = { isInDoubt: false, maxBytes: 0, toldBy: new Set() }

export function declaredLossOf(runtime: ReadonlyMap<string, string>): DeclaredLoss {
  const rows: unknown = JSON.parse(runtime.get('raftmq.losses') ?? '')
  if (!Array.isArray(rows)) throw new Violation('losses', 'the losses are no list')
  const toldBy = new Set<string>()
  let isInDoubt = false
  let bytes = 0
  for (const row of rows) {
    const { maxBytes, inDoubt } = fieldsOf(row)
    isInDoubt ||= inDoubt
    bytes += maxBytes
    for (const id of tellersOf(row)) toldBy.add(id)
  }
  return { isInDoubt, maxBytes: bytes, toldBy }
}

function tellersOf(row: unknown): readonly string[] {
  const reports = property(property(row, 'found'), 'reports')
  if (!Array.isArray(reports)) return []
  const ids = reports.map((report: unknown) => property(report, 'node'))
  return ids.filter((id) => typeof id === 'string')
}

function property(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined
}

function fieldsOf(row: unknown): { readonly maxBytes: number; readonly inDoubt: boolean } {
  if (typeof row === 'object' && row !== null && 'maxBytes' in row && 'inDoubt' in row) {
    const { maxBytes, inDoubt } = row
    if (typeof maxBytes === 'number' && typeof inDoubt === 'boolean') return { maxBytes, inDoubt }
  }
  throw new Violation('losses', `no declared loss: ${JSON.stringify(row)}`)
}
