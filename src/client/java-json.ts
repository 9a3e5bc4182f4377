/**
 * JSON as RocketMQ's Java servers write it (fastjson): keys may be bare numbers, and maps with object keys put the object
 * where the key belongs, `{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:5}}`. Such a key is read as its own
 * JSON text, and written from it.
 */
import { clientErrors } from './errors.ts'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json
}

const DEPTH_MAX = 64

/** Reads standard JSON and fastjson's. Errors: `CLIENT_PROTOCOL`. */
export function parseJavaJson(text: string): Json {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch {
    return parseRelaxed(text)
  }
}

/** A field of what may be an object; undefined when it is none or has no such field. */
export function field(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

export function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

/** A safe integer, also from its decimal text. */
export function integerOf(value: Json | undefined): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}

/** A map whose keys are objects, as fastjson writes it. */
export function objectKeyMap(rows: Iterable<readonly [key: object, value: unknown]>): string {
  return `{${[...rows].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`
}

function parseRelaxed(text: string): Json {
  let at = 0
  const value = readValue(0)
  skipSpace()
  if (at !== text.length) throw bad()
  return value

  function bad(): Error {
    return clientErrors.create('CLIENT_PROTOCOL', `the answer is no JSON, from character ${at} on`)
  }

  function skipSpace(): void {
    while (at < text.length && ' \t\r\n'.includes(text.charAt(at))) at += 1
  }

  function readValue(depth: number): Json {
    if (depth > DEPTH_MAX) throw bad()
    skipSpace()
    const first = text.charAt(at)
    if (first === '{') return readObject(depth)
    if (first === '[') return readList(depth)
    if (first === '"') return readString()
    return readScalar()
  }

  function readObject(depth: number): Json {
    const rows: [string, Json][] = []
    at += 1
    for (;;) {
      skipSpace()
      if (text.charAt(at) === '}') break
      const key = readValue(depth + 1)
      skipSpace()
      if (text.charAt(at) !== ':') throw bad()
      at += 1
      rows.push([typeof key === 'string' ? key : JSON.stringify(key), readValue(depth + 1)])
      skipSpace()
      if (text.charAt(at) === ',') at += 1
      else if (text.charAt(at) !== '}') throw bad()
    }
    at += 1
    return Object.fromEntries(rows)
  }

  function readList(depth: number): Json {
    const items: Json[] = []
    at += 1
    for (;;) {
      skipSpace()
      if (text.charAt(at) === ']') break
      items.push(readValue(depth + 1))
      skipSpace()
      if (text.charAt(at) === ',') at += 1
      else if (text.charAt(at) !== ']') throw bad()
    }
    at += 1
    return items
  }

  function readString(): string {
    let end = at + 1
    while (end < text.length && text.charAt(end) !== '"') end += text.charAt(end) === '\\' ? 2 : 1
    const literal = text.slice(at, end + 1)
    at = end + 1
    return String(parseStandard(literal))
  }

  function readScalar(): Json {
    const start = at
    while (at < text.length && !',:}] \t\r\n'.includes(text.charAt(at))) at += 1
    return parseStandard(text.slice(start, at))
  }

  function parseStandard(literal: string): Json {
    try {
      const value: Json = JSON.parse(literal)
      return value
    } catch {
      throw bad()
    }
  }
}
