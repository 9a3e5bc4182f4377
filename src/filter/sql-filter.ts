/**
 * An SQL92 filter that is ready to be asked (RocketMQ SqlFilter, ExpressionMessageFilter). Looks at a record's properties
 * where they lie: one pass over them, in which only those are decoded that the filter names.
 */
import { eachProperty } from '../message/properties.ts'
import { recordPropertiesStart } from '../message/record.ts'
import { evaluate, type Lookup } from './evaluate.ts'
import { parseFilter, type ParsedFilter } from './parser.ts'
import { Incomparable } from './value.ts'

export class SqlFilter {
  readonly #parsed: ParsedFilter
  readonly #names: readonly Buffer[]
  readonly #values: (string | null)[]
  readonly #lookup: Lookup

  private constructor(parsed: ParsedFilter) {
    this.#parsed = parsed
    this.#names = parsed.names.map((name) => Buffer.from(name))
    this.#values = parsed.names.map(() => null)
    this.#lookup = (slot) => this.#values[slot] ?? null
  }

  /** Throws FILTER_SYNTAX. */
  static compile(text: string): SqlFilter {
    return new SqlFilter(parseFilter(text))
  }

  /** Whether a whole stored record is wanted. */
  readonly accepts = (record: Buffer): boolean => {
    return this.matches(record, recordPropertiesStart(record, 0), record.length)
  }

  /** Whether a message with the encoded properties `bytes[start, end)` is wanted. */
  matches(bytes: Buffer, start: number, end: number): boolean {
    const values = this.#values.fill(null)
    eachProperty(bytes, start, end, (name, nameEnd, valueEnd) => {
      const slot = this.#slotAt(bytes, name, nameEnd)
      if (slot >= 0) values[slot] = bytes.toString('utf8', nameEnd + 1, valueEnd)
    })
    try {
      return evaluate(this.#parsed.root, this.#lookup) === true
    } catch (error) {
      if (error instanceof Incomparable) return false
      throw error
    }
  }

  #slotAt(bytes: Buffer, start: number, end: number): number {
    for (let slot = 0; slot < this.#names.length; slot++) {
      const name = this.#names[slot]
      if (name !== undefined && name.length === end - start && bytes.compare(name, 0, name.length, start, end) === 0) {
        return slot
      }
    }
    return -1
  }
}
