/** What the group says that its elections may have lost (`raftmq.losses` of code 28), as its operator reads it. */
import { Violation } from '../world/violation.ts'

export interface DeclaredLoss {
  /** An election stood on logs in doubt: what was committed may be gone, too. */
  readonly isInDoubt: boolean
  /** Sum of all bounds; 0: nothing was declared. */
  readonly maxBytes: number
}

export const nothingLost: DeclaredLoss = { isInDoubt: false, maxBytes: 0 }

export function declaredLossOf(runtime: ReadonlyMap<string, string>): DeclaredLoss {
  const rows: unknown = JSON.parse(runtime.get('raftmq.losses') ?? '')
  if (!Array.isArray(rows)) throw new Violation('losses', 'the losses are no list')
  let loss = nothingLost
  for (const row of rows) {
    const { maxBytes, inDoubt } = fieldsOf(row)
    loss = { isInDoubt: loss.isInDoubt || inDoubt, maxBytes: loss.maxBytes + maxBytes }
  }
  return loss
}

function fieldsOf(row: unknown): { readonly maxBytes: number; readonly inDoubt: boolean } {
  if (typeof row === 'object' && row !== null && 'maxBytes' in row && 'inDoubt' in row) {
    const { maxBytes, inDoubt } = row
    if (typeof maxBytes === 'number' && typeof inDoubt === 'boolean') return { maxBytes, inDoubt }
  }
  throw new Violation('losses', `no declared loss: ${JSON.stringify(row)}`)
}
