/**
 * A header is declared once; the table gives its type, both directions of the codec, the one-letter form of
 * SEND_MESSAGE_V2 and validation. Fields that the table does not name are ignored, as RocketMQ ignores them.
 */
import type { FieldKind } from './field-value.ts'
import type { Fields, HeaderRecord } from './fields.ts'
import { HeaderCodec, type Row } from './header-codec.ts'

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

/** Read from a cache of short texts: for names. */
export const string: Kind<string> = kindOf('string')
/** A string that differs from request to request. */
export const text: Kind<string> = kindOf('text')
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

/** Declares a header. Field order is the order on the wire. */
export function defineHeader<const Table extends FieldTable>(fields: Table): DefinedHeader<Table> {
  return {
    fields,
    ...schemaOf<HeaderOf<Table>>(rowsOf(fields, (name) => name)),
    short: schemaOf(rowsOf(fields, (name, short) => short ?? name)),
  }
}

/** For requests without fields. */
export const EmptyHeader = defineHeader({})

function rowsOf(fields: FieldTable, nameOf: (name: string, short: string | undefined) => string): Row[] {
  return Object.entries(fields).map(([name, { kind, required, short }]) => {
    return { name, wireName: nameOf(name, short), kind, required }
  })
}

/** Built at its first use: most processes use few of all headers. */
function schemaOf<Header>(rows: readonly Row[]): HeaderSchema<Header> {
  let built: HeaderCodec | undefined
  const codec = (): HeaderCodec => (built ??= new HeaderCodec(rows))
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Header is the type of the table that was filled
    decode: (fields) => codec().decode(fields) as Header,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Header is the type of a table of such values
    encode: (header) => codec().encode(header as HeaderRecord),
  }
}
