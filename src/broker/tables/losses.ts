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
 * | `seen` | term of the old leader, its id, messages, bytes, bytes that had rotted | what it had acknowledged and lost is known |
 */
import { assert } from '../../lib/assert.ts'
import type { Command, ReplicatedTable } from '../needs.ts'

const TABLE = 'losses'
/** The key of the term in which messages that did not wait were acknowledged; sorts behind those of the rows. */
const EARLY_KEY = 'early'
/** Rows kept, the newest. */
const ROWS_MAX = 32
/** Reports kept of a row, the newest; its sums count those before them, too. */
const REPORTS_MAX = 32
const NO_ROW = { maxBytes: 0, inDoubt: false, found: undefined }
const NOTHING_FOUND = { messages: 0, bytes: 0, reports: [] }

export interface Loss {
  /** The election's. */
  readonly term: number
  readonly maxBytes: number
  /** Logs in doubt elected: what is lost was in no log, and is never found. */
  readonly inDoubt: boolean
  /** Undefined until the old leader's log has been seen. */
  readonly found: Found | undefined
}

interface Count {
  /** Set aside, of bodies. */
  readonly messages: number
  readonly bytes: number
  /** Of the log, at most: cut off, and not set aside, as they had rotted. Absent: none. */
  readonly rottenBytes?: number
}

/** The sums of what was told, and who told what: one report, or several where several terms were led before that election. */
interface Found extends Count {
  /** In the order in which they were told. A node tells of a term once. */
  readonly reports: readonly Report[]
}

interface Report extends Count {
  readonly node: string
  /** Which it had led. */
  readonly term: number
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
    const [term, second, third, bytes, rottenBytes = 0] = args
    assert(typeof term === 'number', 'a loss has a term')
    if (op === 'early') {
      this.#setEarlyTerm(term)
    } else if (op === 'open') {
      if (term > this.#earlyTerm) this.#setEarlyTerm(0)
      assert(typeof second === 'number' && typeof third === 'boolean', 'a loss has a bound')
      this.#open({ term, maxBytes: second, inDoubt: third })
    } else {
      assert(op === 'seen', `losses have no operation ${op}`)
      assert(typeof second === 'string' && typeof third === 'number' && typeof bytes === 'number', 'what was found')
      assert(typeof rottenBytes === 'number', 'what had rotted')
      if (term === this.#earlyTerm) this.#setEarlyTerm(0)
      this.#seen({ node: second, term, messages: third, bytes, ...rottenOf(rottenBytes) })
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
      yield [keyOf(term), [term, maxBytes, inDoubt, found === undefined ? null : encodeFound(found)]]
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

  #open({ term, maxBytes, inDoubt }: Omit<Loss, 'found'>): void {
    const row = this.#rows.find((one) => one.term === term)
    if (row !== undefined && !isUndeclared(row)) return
    // What was told before the election was declared stands in its row, as if it had come behind.
    const toldBytes = lostBytes(row?.found)
    const bound = inDoubt ? maxBytes + toldBytes : Math.max(maxBytes, toldBytes)
    this.#put({ term, maxBytes: bound, inDoubt, found: row?.found })
  }

  #seen(report: Report): void {
    const next = this.#rows.find((row) => row.term > report.term)
    const told = next?.found
    // Told again, as the answer was lost.
    if (told?.reports.some(({ node, term }) => node === report.node && term === report.term) === true) return
    // Who lost nothing may have told first.
    const isLost = isLoss(report)
    const isBetter = told === undefined || (!isLoss(told) && isLost)
    if (next !== undefined && !next.inDoubt && isBetter) {
      return this.#put({ ...next, found: sum(NOTHING_FOUND, report) })
    }
    if (!isLost) return
    // Its node led again at once and opened none; or others were lost beside these: logs in doubt, or several terms.
    const row = next ?? { term: report.term + 1, ...NO_ROW }
    this.#put({ ...row, maxBytes: row.maxBytes + lostBytes(report), found: sum(told ?? NOTHING_FOUND, report) })
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
  seen: (term: number, { node, messages, bytes, rottenBytes = 0 }: Omit<Report, 'term'>): Command => ({
    table: TABLE,
    op: 'seen',
    args: [term, node, messages, bytes, ...(rottenBytes > 0 ? [rottenBytes] : [])],
  }),
}

/** Its row was opened by what was told, whose bytes are its bound. */
function isUndeclared({ maxBytes, inDoubt, found }: Loss): boolean {
  return !inDoubt && found !== undefined && maxBytes === lostBytes(found)
}

function isLoss({ messages, rottenBytes = 0 }: Count): boolean {
  return messages > 0 || rottenBytes > 0
}

function lostBytes({ bytes, rottenBytes = 0 }: Pick<Count, 'bytes' | 'rottenBytes'> = { bytes: 0 }): number {
  return bytes + rottenBytes
}

function rottenOf(rottenBytes: number): Pick<Count, 'rottenBytes'> {
  return rottenBytes > 0 ? { rottenBytes } : {}
}

function sum(found: Found, report: Report): Found {
  return {
    messages: found.messages + report.messages,
    bytes: found.bytes + report.bytes,
    ...rottenOf((found.rottenBytes ?? 0) + (report.rottenBytes ?? 0)),
    reports: [...found.reports, report].slice(-REPORTS_MAX),
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
  return { term, maxBytes, inDoubt, found: found === null ? undefined : decodeFound(found) }
}

function encodeFound({ messages, bytes, reports, rottenBytes = 0 }: Found): unknown {
  const rows = reports.map((report) => {
    return [report.node, report.term, report.messages, report.bytes, report.rottenBytes ?? 0]
  })
  return [messages, bytes, rows, rottenBytes]
}

function decodeFound(value: unknown): Found {
  assert(Array.isArray(value), 'what was found is an array')
  const fields: readonly unknown[] = value
  const [messages, bytes, reports, rottenBytes] = fields
  assert(typeof messages === 'number' && typeof bytes === 'number' && Array.isArray(reports), 'and has its fields')
  assert(typeof rottenBytes === 'number', 'and what had rotted')
  return { messages, bytes, ...rottenOf(rottenBytes), reports: reports.map(decodeReport) }
}

function decodeReport(value: unknown): Report {
  assert(Array.isArray(value), 'a report is an array')
  const fields: readonly unknown[] = value
  const [node, term, messages, bytes, rottenBytes] = fields
  assert(
    typeof node === 'string' && typeof term === 'number' && typeof messages === 'number' && typeof bytes === 'number',
    'a report has its fields',
  )
  assert(typeof rottenBytes === 'number', 'and what had rotted')
  return { node, term, messages, bytes, ...rottenOf(rottenBytes) }
}
