/**
 * Which halves of transactions are pending: a replicated table. The half topic's one queue says which halves there are;
 * this table says which of them ended (were committed, rolled back, discarded, or stored again at the queue's end). Its
 * one operation lies in the same entry as the effect, so that a transaction ends once, whoever leads.
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `end` | list of queueOffsets in the half queue | these halves are pending no more |
 *
 * A row is one bit for each of 1,024 halves. Rows below the first pending half are gone, and halves that stay pending are
 * stored again at the queue's end every now and then, so the table is a bit for every half of the last while.
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'
import { TableRows } from '../tables/table-rows.ts'

const TABLE = 'halves'
const FROM = 'from'
const HALVES_PER_ROW = 1024

export class PendingHalves implements ReplicatedTable {
  readonly name = TABLE
  readonly #rows = new TableRows<Buffer | number>()
  #from = 0

  /** The first half that may be pending: all before it ended. */
  get from(): number {
    return this.#from
  }

  /** Whether the half at `queueOffset`, which is in the queue, is pending. */
  isPending(queueOffset: number): boolean {
    return queueOffset >= this.#from && !this.#isEnded(queueOffset)
  }

  /** The first of `[at, end)` that is pending. */
  next(at: number, end: number): number | undefined {
    for (let queueOffset = Math.max(at, this.#from); queueOffset < end; queueOffset++) {
      if (!this.#isEnded(queueOffset)) return queueOffset
    }
    return undefined
  }

  end(queueOffsets: readonly number[]): Command {
    return { table: TABLE, op: 'end', args: [queueOffsets] }
  }

  apply(op: string, args: readonly unknown[]): undefined {
    assert(op === 'end', `no operation ${op}`)
    const [list] = args
    assert(Array.isArray(list), 'halves end as a list')
    const queueOffsets: readonly unknown[] = list
    for (const queueOffset of queueOffsets) {
      assert(typeof queueOffset === 'number' && this.isPending(queueOffset), 'a half ends once')
      this.#mark(queueOffset)
    }
    this.#advance()
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    return this.#rows.takeChanges(encode)
  }

  rows(): Iterable<readonly [key: string, value: unknown]> {
    return this.#rows.sorted(encode)
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    this.#rows.load(rows, (value) => {
      if (typeof value === 'number') return value
      assert(typeof value === 'string', 'a row of halves is bits in base64')
      return Buffer.from(value, 'base64')
    })
    const from = this.#rows.get(FROM)
    this.#from = typeof from === 'number' ? from : 0
  }

  #isEnded(queueOffset: number): boolean {
    const row = this.#rows.get(keyOf(queueOffset))
    if (!Buffer.isBuffer(row)) return false
    const bit = queueOffset % HALVES_PER_ROW
    return ((row[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }

  #mark(queueOffset: number): void {
    const key = keyOf(queueOffset)
    let row = this.#rows.get(key)
    if (!Buffer.isBuffer(row)) this.#rows.set(key, (row = Buffer.alloc(HALVES_PER_ROW / 8)))
    else this.#rows.touch(key)
    const bit = queueOffset % HALVES_PER_ROW
    row[bit >>> 3] = (row[bit >>> 3] ?? 0) | (1 << (bit & 7))
  }

  #advance(): void {
    const before = this.#from
    while (this.#isEnded(this.#from)) {
      this.#from++
      if (this.#from % HALVES_PER_ROW === 0) this.#rows.delete(keyOf(this.#from - 1))
    }
    if (this.#from !== before) this.#rows.set(FROM, this.#from)
  }
}

/** Of fixed width, so that rows come in the order of the queue. */
function keyOf(queueOffset: number): string {
  return Math.floor(queueOffset / HALVES_PER_ROW)
    .toString(36)
    .padStart(9, '0')
}

function encode(row: Buffer | number): string | number {
  return typeof row === 'number' ? row : row.toString('base64')
}
