/**
 * A header is declared once; the table gives its type, both directions of the codec, the one-letter form of
 * SEND_MESSAGE_V2 and validation. Fields that the table does not name are ignored, as RocketMQ ignores them.
 */
import { unreachable } from '../lib/assert.ts'
import { remotingErrors } from './errors.ts'
import type { Fields, HeaderRecord } from './fields.ts'

export type FieldKind = 'string' | 'int' | 'long' | 'boolean' | 'double'

export interface FieldSpec<Value extends string | number | boolean, Required extends boolean> {
  readonly kind: FieldKind
  readonly required: Required
  /** Its name in the V2 form (RocketMQ SendMessageRequestHeaderV2), where it has one. */
  readonly short: string | undefined
  /** Never there: carries the type. */
  readonly value?: Value
}

export type FieldTable = Readonly<Record<string, FieldSpec<string | number | boolean, boolean>>>

type ValueOf<Spec> = Spec extends FieldSpec<infer Value, boolean> ? Value : never
type Flat<T> = { readonly [Key in keyof T]: T[Key] }

/** The decoded header of a field table: required fields are there, optional ones may be undefined. */
export type HeaderOf<Table extends FieldTable> = Flat<
  { [Key in keyof Table as Table[Key]['required'] extends true ? Key : never]: ValueOf<Table[Key]> } & {
    [Key in keyof Table as Table[Key]['required'] extends true ? never : Key]?: ValueOf<Table[Key]> | undefined
  }
>

interface Kind<Value extends string | number | boolean> {
  required(short?: string): FieldSpec<Value, true>
  optional(short?: string): FieldSpec<Value, false>
}

function kindOf<Value extends string | number | boolean>(kind: FieldKind): Kind<Value> {
  return {
    required: (short) => ({ kind, required: true, short }),
    optional: (short) => ({ kind, required: false, short }),
  }
}

export const string: Kind<string> = kindOf('string')
/** A signed 32-bit integer. */
export const int: Kind<number> = kindOf('int')
/** A signed 64-bit integer. One that a double does not hold saturates at ±(2^53 − 1): Java's clients send Long.MAX. */
export const long: Kind<number> = kindOf('long')
/** `true` in any case is true, everything else false (Java Boolean.parseBoolean). */
export const boolean: Kind<boolean> = kindOf('boolean')
export const double: Kind<number> = kindOf('double')

export interface HeaderSchema<Header> {
  /** Throws REMOTING_HEADER_INVALID, naming the field. */
  decode(fields: Fields): Header
  /** The fields to send, undefined ones left out of the frame later. */
  encode(header: Header): HeaderRecord
}

export interface DefinedHeader<Table extends FieldTable> extends HeaderSchema<HeaderOf<Table>> {
  readonly fields: Table
  /** The same header under one-letter names. */
  readonly short: HeaderSchema<HeaderOf<Table>>
}

interface Row {
  readonly name: string
  readonly wireName: string
  readonly kind: FieldKind
  readonly required: boolean
}

/** Declares a header. Field order is the order on the wire. */
export function defineHeader<const Table extends FieldTable>(fields: Table): DefinedHeader<Table> {
  const rows = Object.entries(fields)
  return {
    fields,
    ...schemaOf<HeaderOf<Table>>(rows.map(([name, spec]) => rowOf(name, name, spec))),
    short: schemaOf(rows.map(([name, spec]) => rowOf(name, spec.short ?? name, spec))),
  }
}

/** For requests without fields. */
export const EmptyHeader = defineHeader({})

function rowOf(name: string, wireName: string, spec: FieldSpec<string | number | boolean, boolean>): Row {
  return { name, wireName, kind: spec.kind, required: spec.required }
}

function schemaOf<Header>(rows: readonly Row[]): HeaderSchema<Header> {
  return {
    decode(fields) {
      const record = fields.toRecord()
      const header: Record<string, string | number | boolean | undefined> = {}
      for (const row of rows) {
        const text = Object.hasOwn(record, row.wireName) ? record[row.wireName] : undefined
        if (text === undefined) {
          if (row.required) throw missing(row.wireName)
          header[row.name] = undefined
        } else header[row.name] = parseField(row.wireName, row.kind, text)
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop filled the table that Header is the type of
      return header as Header
    },
    encode(header) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Header is the type of a table of such values
      const values = header as HeaderRecord
      const record: Record<string, string | number | boolean | undefined> = {}
      for (const row of rows) record[row.wireName] = values[row.name]
      return record
    },
  }
}

const INT_MAX = 2147483647
const INT_MIN = -2147483648
const integerText = /^[+-]?\d{1,19}$/

function parseField(name: string, kind: FieldKind, text: string): string | number | boolean {
  switch (kind) {
    case 'string':
      return text
    case 'boolean':
      return text === 'true' || text.toLowerCase() === 'true'
    case 'int': {
      const value = Number(text)
      if (!integerText.test(text) || value > INT_MAX || value < INT_MIN) throw invalid(name, 'a 32-bit integer', text)
      return value
    }
    case 'long': {
      const value = Number(text)
      if (Number.isSafeInteger(value) && integerText.test(text)) return value
      if (!integerText.test(text) || BigInt.asIntN(64, BigInt(text)) !== BigInt(text)) {
        throw invalid(name, 'a 64-bit integer', text)
      }
      return value > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
    }
    case 'double': {
      const value = Number(text)
      if (text.trim() === '' || Number.isNaN(value)) throw invalid(name, 'a number', text)
      return value
    }
    default:
      return unreachable(kind)
  }
}

function missing(name: string): Error {
  return remotingErrors.create('REMOTING_HEADER_INVALID', `the custom field <${name}> is null`)
}

function invalid(name: string, expected: string, text: string): Error {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text
  return remotingErrors.create('REMOTING_HEADER_INVALID', `the custom field <${name}> is not ${expected}: ${shown}`)
}
