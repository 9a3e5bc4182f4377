/** One field's text to its value, by kind; the errors name the field. */
import { unreachable } from '../lib/assert.ts'
import { remotingErrors } from './errors.ts'

/** `string` values come again and again; `text` values differ from request to request. */
export type FieldKind = 'string' | 'text' | 'int' | 'long' | 'boolean' | 'double'
export type FieldValue = string | number | boolean

export const INT_MAX = 2147483647
const INT_MIN = -2147483648
const integerText = /^[+-]?\d{1,19}$/
/** As many decimal digits are safe in a double, whatever they are. */
const SAFE_DIGITS = 15
const ZERO = 0x30
const TRUE = Buffer.from('true')

export function parseField(name: string, kind: FieldKind, text: string): FieldValue {
  switch (kind) {
    case 'string':
    case 'text':
      return text
    case 'boolean':
      return text === 'true' || /^true$/i.test(text)
    case 'int':
      return parseInteger(name, text)
    case 'long':
      return parseLong(name, text)
    case 'double':
      return parseDouble(name, text)
    default:
      return unreachable(kind)
  }
}

/** `true`, in any case. */
export function readBoolean(bytes: Buffer, start: number, end: number): boolean {
  if (end - start !== TRUE.length) return false
  for (let i = 0; i < TRUE.length; i++) if (((bytes[start + i] ?? 0) | 0x20) !== TRUE[i]) return false
  return true
}

/** An int or a long; negative for what is not a short row of digits: the slow way decides about it. */
export function readDigits(bytes: Buffer, start: number, end: number): number {
  if (end - start > SAFE_DIGITS) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const digit = (bytes[i] ?? 0) - ZERO
    if (digit < 0 || digit > 9) return -1
    value = value * 10 + digit
  }
  return value
}

function parseInteger(name: string, text: string): number {
  const value = Number(text)
  if (integerText.test(text) && value <= INT_MAX && value >= INT_MIN) return value
  throw invalid(name, 'a 32-bit integer', text)
}

function parseLong(name: string, text: string): number {
  if (!integerText.test(text)) throw invalid(name, 'a 64-bit integer', text)
  const value = Number(text)
  if (Number.isSafeInteger(value)) return value
  const exact = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(64, exact) !== exact) throw invalid(name, 'a 64-bit integer', text)
  return value > 0 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER
}

function parseDouble(name: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && !Number.isNaN(value)) return value
  throw invalid(name, 'a number', text)
}

export function missing(name: string): Error {
  return remotingErrors.create('REMOTING_HEADER_INVALID', `the custom field <${name}> is null`)
}

function invalid(name: string, expected: string, text: string): Error {
  const shown = text.length > 64 ? `${text.slice(0, 64)}…` : text
  return remotingErrors.create('REMOTING_HEADER_INVALID', `the custom field <${name}> is not ${expected}: ${shown}`)
}
