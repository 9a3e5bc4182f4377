/**
 * What elections may have lost: a replicated table, so that everybody tells the same. An election in async replication (or
 * one that stood on logs in doubt, or after a leader that had messages which do not wait) opens a row: 0 to a bound. When
 * the leader before it has come back and its log has been compared, the row says exactly what was set aside there
 * (`lost-messages.ts`).
 *
 * | op | arguments | effect |
 * | --- | --- | --- |
 * | `early` | term | from here on its leader acknowledges before the commit what does not wait, in sync replication too |
 * | `open` | term, most bytes, whether logs were in doubt | the election of that term may have lost so much |
 * | `seen` | term of the old leader, its id, messages, bytes | what it had acknowledged and lost is known |
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'

const TABLE = 'losses'
/** The key of the term in which messages that did not wait were acknowledged; sorts behind those of the rows. */
const EARLY_KEY = 'early'
/** Rows kept, the newest. */
const ROWS_MAX = 32
const NO_ROW = { maxBytes: 0, inDoubt: false, found: undefined }

export interface Loss {
  /** The election's. */
  readonly term: number
  readonly maxBytes: number
  /** Logs in doubt elected: what is lost was in no log, and is never found. */
  readonly inDoubt: boolean
  /** Undefined until the old leader's log has been seen. */
  readonly found: Found | undefined
}

interface Found {
  /** Its id; ids with commas between them where several led before that election. */
  readonly node: string
  readonly messages: number
  readonly bytes: number
}

export class Losses implements ReplicatedTable {
  readonly name = TABLE
  #rows: Loss[] = []
  #earlyTerm = 0
  #isChanged = false
  #dropped: number[] = []

  /** Whose leader acknowledged messages that do not wait, and what of them was lost is not accounted for; 0: nobody's. */
  get earlyTerm(): number {
    return this.#earlyTerm
  }

  /** Oldest first. */
  get all(): readonly Loss[] {
    return this.#rows
  }

  apply(op: string, args: readonly unknown[]): undefined {
    const [term, second, third, bytes] = args
    assert(typeof term === 'number', 'a loss has a term')
    if (op === 'early') {
      this.#setEarlyTerm(term)
    } else if (op === 'open') {
      if (term > this.#earlyTerm) this.#setEarlyTerm(0)
      assert(typeof second === 'number' && typeof third === 'boolean', 'a loss has a bound')
      if (this.#rows.some((row) => row.term === term)) return undefined
      this.#put({ term, maxBytes: second, inDoubt: third, found: undefined })
    } else {
      assert(op === 'seen', `losses have no operation ${op}`)
      assert(typeof second === 'string' && typeof third === 'number' && typeof bytes === 'number', 'what was found')
      if (term === this.#earlyTerm) this.#setEarlyTerm(0)
      this.#seen(term, { node: second, messages: third, bytes })
    }
    return undefined
  }

  takeChanges(): ReadonlyMap<string, unknown> {
    const changes = new Map<string, unknown>(this.#isChanged ? this.rows() : [])
    if (this.#isChanged && this.#earlyTerm === 0) changes.set(EARLY_KEY, undefined)
    for (const term of this.#dropped) changes.set(keyOf(term), undefined)
    this.#isChanged = false
    this.#dropped = []
    return changes
  }

  *rows(): Generator<readonly [key: string, value: unknown]> {
    for (const { term, maxBytes, inDoubt, found } of this.#rows) {
      yield [
        keyOf(term),
        [term, maxBytes, inDoubt, found === undefined ? null : [found.node, found.messages, found.bytes]],
      ]
    }
    if (this.#earlyTerm > 0) yield [EARLY_KEY, this.#earlyTerm]
  }

  load(rows: Iterable<readonly [key: string, value: unknown]>): void {
    const all = [...rows]
    const losses = all.filter(([key]) => key !== EARLY_KEY)
    this.#rows = losses.map(([, value]) => decode(value)).sort((a, b) => a.term - b.term)
    this.#earlyTerm = decodeTerm(all.find(([key]) => key === EARLY_KEY)?.[1] ?? 0)
    this.#isChanged = false
    this.#dropped = []
  }

  #setEarlyTerm(term: number): void {
    this.#isChanged ||= this.#earlyTerm !== term
    this.#earlyTerm = term
  }

  #seen(term: number, found: Found): void {
    const next = this.#rows.find((row) => row.term > term)
    // Who lost nothing may have told first.
    const isLost = found.messages > 0
    const isBetter = next?.found === undefined || (next.found.messages === 0 && isLost)
    if (next !== undefined && !next.inDoubt && isBetter) return this.#put({ ...next, found })
    // Told again, as the answer was lost.
    if (!isLost || next?.found?.node.split(',').includes(found.node) === true) return
    // Its node led again at once and opened none; or others lost messages beside these: logs in doubt, or several leaders.
    const row = next ?? { term: term + 1, ...NO_ROW }
    const all = row.found === undefined ? found : both(row.found, found)
    this.#put({ ...row, maxBytes: row.maxBytes + found.bytes, found: all })
  }

  #put(row: Loss): void {
    this.#rows = [...this.#rows.filter(({ term }) => term !== row.term), row].sort((a, b) => a.term - b.term)
    for (const { term } of this.#rows.slice(0, -ROWS_MAX)) this.#dropped.push(term)
    this.#rows = this.#rows.slice(-ROWS_MAX)
    this.#isChanged = true
  }
}

export const lossCommands = {
  early: (term: number): Command => ({ table: TABLE, op: 'early', args: [term] }),
  open: (row: Pick<Loss, 'term' | 'maxBytes' | 'inDoubt'>): Command => ({
    table: TABLE,
    op: 'open',
    args: [row.term, row.maxBytes, row.inDoubt],
  }),
  seen: (term: number, { node, messages, bytes }: Found): Command => ({
    table: TABLE,
    op: 'seen',
    args: [term, node, messages, bytes],
  }),
}

function both(one: Found, other: Found): Found {
  return {
    node: `${one.node},${other.node}`,
    messages: one.messages + other.messages,
    bytes: one.bytes + other.bytes,
  }
}

/** In the order of the terms. */
function keyOf(term: number): string {
  return String(term).padStart(16, '0')
}

function decodeTerm(value: unknown): number {
  assert(typeof value === 'number', 'a term is a number')
  return value
}

function decode(value: unknown): Loss {
  assert(Array.isArray(value), 'a loss is an array')
  const fields: readonly unknown[] = value
  const [term, maxBytes, inDoubt, found] = fields
  assert(
    typeof term === 'number' && typeof maxBytes === 'number' && typeof inDoubt === 'boolean',
    'a loss has its fields',
  )
  if (found === null) return { term, maxBytes, inDoubt, found: undefined }
  assert(Array.isArray(found), 'what was found is an array')
  const foundFields: readonly unknown[] = found
  const [node, messages, bytes] = foundFields
  assert(typeof node === 'string' && typeof messages === 'number' && typeof bytes === 'number', 'and has its fields')
  return { term, maxBytes, inDoubt, found: { node, messages, bytes } }
}
