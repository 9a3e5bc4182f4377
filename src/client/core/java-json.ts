/** Reads fields out of the JSON bodies of RocketMQ's servers, trusting nothing. */
import { errorMessage } from '../../lib/errors.ts'
import { parseJson } from '../../remoting/json-dialect.ts'
import { clientErrors } from './errors.ts'

/** Reads standard JSON and fastjson's dialect, whose maps with object keys become `Map`s. Errors: `CLIENT_PROTOCOL`. */
export function parseBody(body: Buffer): unknown {
  try {
    return parseJson(body.toString())
  } catch (error) {
    throw clientErrors.create('CLIENT_PROTOCOL', `the body of an answer is no JSON: ${errorMessage(error)}`, error)
  }
}

/** A field of what may be an object; undefined when it is none or has no such field. */
export function field(value: unknown, name: string): unknown {
  if (value instanceof Map) return value.get(name)
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The rows of what may be a map, whatever its keys are. */
export function rowsOf(value: unknown): [key: unknown, value: unknown][] {
  if (value instanceof Map) return [...value]
  return isObject(value) ? Object.entries(value) : []
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined
}

/** A safe integer, also from its decimal text. */
export function integerOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined
}
