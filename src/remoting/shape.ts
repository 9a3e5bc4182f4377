/**
 * What a JSON body looks like, declared once: the declaration gives its type, its reading with validation, and its
 * writing. Members that the declaration does not name are ignored; absent ones take the default that the Java class
 * gives them.
 */
import { errorMessage } from '../lib/errors.ts'
import { remotingErrors } from './errors.ts'
import { type JsonOptions, parseJson, toJson } from './json-dialect.ts'

export interface Shape<Value> {
  /** `value` as parsed JSON; `path` says where in the body. Throws REMOTING_BODY_INVALID. */
  read(value: unknown, path: string): Value
  /** As `toJson` takes it. */
  write(value: Value): unknown
}

/** A member of an object: what it is and what it is when absent or null. */
export interface Member<Value> extends Shape<Value> {
  readonly absent: (path: string) => Value
}

export type Members = Readonly<Record<string, Member<unknown>>>
type ValueOf<M> = M extends Shape<infer Value> ? Value : never
export type ObjectOf<Table extends Members> = { readonly [Key in keyof Table]: ValueOf<Table[Key]> }

/** The type a shape reads. */
export type Of<S extends Shape<unknown>> = S extends Shape<infer Value> ? Value : never

export function required<Value>(shape: Shape<Value>): Member<Value> {
  return {
    ...methodsOf(shape),
    absent: (path) => {
      throw invalid(path, 'is missing')
    },
  }
}

/** `value` stands for an absent member. */
export function withDefault<Value>(shape: Shape<Value>, value: Value): Member<Value> {
  return { ...methodsOf(shape), absent: () => value }
}

/** undefined stands for an absent member, and is not written. */
export function optional<Value>(shape: Shape<Value>): Member<Value | undefined> {
  return {
    read: (value, path) => shape.read(value, path),
    write: (value) => (value === undefined ? undefined : shape.write(value)),
    absent: () => undefined,
  }
}

export const text: Shape<string> = {
  read(value, path) {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw invalid(path, 'is no string')
  },
  write: (value) => value,
}

/** Java int and long; digits in quotes are taken, too. */
export const integer: Shape<number> = {
  read(value, path) {
    const number = typeof value === 'string' && value !== '' ? Number(value) : value
    if (typeof number !== 'number' || !Number.isInteger(number)) throw invalid(path, 'is no integer')
    return number
  },
  write: (value) => value,
}

export const decimal: Shape<number> = {
  read(value, path) {
    const number = typeof value === 'string' && value !== '' ? Number(value) : value
    if (typeof number !== 'number' || Number.isNaN(number)) throw invalid(path, 'is no number')
    return number
  },
  write: (value) => value,
}

export const flag: Shape<boolean> = {
  read(value, path) {
    if (typeof value === 'boolean') return value
    if (value === 'true' || value === 1) return true
    if (value === 'false' || value === 0) return false
    throw invalid(path, 'is no boolean')
  },
  write: (value) => value,
}

/** Whatever JSON is there, handed through. */
export const anything: Shape<unknown> = { read: (value) => value, write: (value) => value }

export function listOf<Value>(item: Shape<Value>): Shape<readonly Value[]> {
  return {
    read(value, path) {
      if (!Array.isArray(value)) throw invalid(path, 'is no list')
      return value.map((one, at) => item.read(one, `${path}[${at}]`))
    },
    write: (value) => value.map((one) => item.write(one)),
  }
}

/** A map with string keys. */
export function mapOf<Value>(item: Shape<Value>): Shape<ReadonlyMap<string, Value>> {
  return {
    read: (value, path) =>
      new Map(members(value, path).map(([key, one]) => [String(key), item.read(one, `${path}.${String(key)}`)])),
    write: (value) => new Map([...value].map(([key, one]) => [key, item.write(one)])),
  }
}

/** A map with integer keys (unquoted in the dialect). */
export function integerMapOf<Value>(item: Shape<Value>): Shape<ReadonlyMap<number, Value>> {
  return {
    read(value, path) {
      const entries = members(value, path)
      return new Map(
        entries.map(([key, one]) => [integer.read(key, `key of ${path}`), item.read(one, `${path}.${String(key)}`)]),
      )
    },
    write: (value) => new Map([...value].map(([key, one]) => [key, item.write(one)])),
  }
}

/** A map whose keys are objects. They are equal by content, not by identity, so they come as pairs. */
export function pairsOf<Key, Value>(
  keys: Shape<Key>,
  item: Shape<Value>,
): Shape<readonly (readonly [key: Key, value: Value])[]> {
  return {
    read: (value, path) =>
      members(value, path).map(([key, one]) => {
        // A standard JSON writer puts the key object's JSON into a string.
        const parsed = typeof key === 'string' ? parseJson(key) : key
        return [keys.read(parsed, `key of ${path}`), item.read(one, `${path}[…]`)]
      }),
    write: (value) => new Map(value.map(([key, one]) => [keys.write(key), item.write(one)])),
  }
}

export function objectOf<const Table extends Members>(
  table: Table,
): Shape<ObjectOf<Table>> & { readonly members: Table } {
  const rows = Object.entries(table)
  return {
    members: table,
    read(value, path) {
      if (!isRecord(value)) throw invalid(path, 'is no object')
      const object: Record<string, unknown> = {}
      for (const [name, member] of rows) {
        const one = Object.hasOwn(value, name) ? value[name] : undefined
        const place = `${path}.${name}`
        object[name] = one === undefined || one === null ? member.absent(place) : member.read(one, place)
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the loop read every member of the table
      return object as ObjectOf<Table>
    },
    write(value) {
      const object: Record<string, unknown> = {}
      for (const [name, member] of rows) object[name] = member.write(value[name])
      return object
    },
  }
}

/** A body: a shape that knows bytes. */
export interface Body<Value> extends Shape<Value> {
  /** Throws REMOTING_BODY_INVALID. */
  decode(body: Buffer): Value
  encode(value: Value, options?: JsonOptions): Buffer
}

export function defineBody<const Table extends Members>(
  table: Table,
): Body<ObjectOf<Table>> & { readonly members: Table } {
  return { ...bodyOf(objectOf(table)), members: table }
}

export function bodyOf<Value>(shape: Shape<Value>): Body<Value> {
  return {
    ...methodsOf(shape),
    decode(body) {
      if (body.length === 0) throw invalid('the body', 'is empty')
      return shape.read(parseBody(body), 'the body')
    },
    encode: (value, options) => Buffer.from(toJson(shape.write(value), options)),
  }
}

function parseBody(body: Buffer): unknown {
  try {
    return parseJson(body.toString('utf8'))
  } catch (error) {
    throw remotingErrors.create('REMOTING_BODY_INVALID', `the body cannot be read: ${errorMessage(error)}`, error)
  }
}

function methodsOf<Value>(shape: Shape<Value>): Shape<Value> {
  return { read: (value, path) => shape.read(value, path), write: (value) => shape.write(value) }
}

function members(value: unknown, path: string): [key: unknown, value: unknown][] {
  if (value instanceof Map) return [...value]
  if (!isRecord(value)) throw invalid(path, 'is no map')
  return Object.entries(value)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map)
}

function invalid(path: string, what: string): Error {
  return remotingErrors.create('REMOTING_BODY_INVALID', `${path} ${what}`)
}
