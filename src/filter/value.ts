/**
 * Values of a filter as Java has them, and how RocketMQ compares them (ComparisonExpression.__compare). Integer and Long
 * are apart: a property is read as the type of the constant that it meets, and `'3000000000' > 5` fails as an Integer.
 */

/** `int` within 32 bits, `long` within 64. `null` is both an absent property and "unknown". */
export type Value = null | boolean | string | NumberValue
export type NumberValue =
  | { readonly type: 'int'; readonly value: number }
  | { readonly type: 'long'; readonly value: bigint }
  | { readonly type: 'double'; readonly value: number }

/** Java would throw here; the message is then not wanted, whatever else the filter says. */
export class Incomparable extends Error {}

const INT_MAX = 2_147_483_647n
const LONG_MAX = 9_223_372_036_854_775_807n

/** Java Long.valueOf, within `max` and `-max - 1`; undefined for what it refuses. */
function parseWhole(text: string, max: bigint): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  // Longer digits than these are leading zeros or out of range; BigInt of a long property would take its time.
  const digits = text.replace(/^[+-]/, '').replace(/^0+(?=\d)/, '')
  if (digits.length > 19) return undefined
  const value = text.startsWith('-') ? -BigInt(digits) : BigInt(digits)
  return value > max || value < -max - 1n ? undefined : value
}

/** A whole literal: Integer when it fits, else Long, else none (RocketMQ createFromDecimal). */
export function wholeLiteral(image: string): NumberValue | undefined {
  const value = parseWhole(image.replace(/[lL]$/, ''), LONG_MAX)
  if (value === undefined) return undefined
  return value <= INT_MAX ? { type: 'int', value: Number(value) } : { type: 'long', value }
}

const DECIMAL = /^[+-]?(?:NaN|Infinity|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fFdD]?)$/
const HEX = /^([+-]?)0[xX](?:([0-9a-fA-F]+)\.?([0-9a-fA-F]*)|\.([0-9a-fA-F]+))[pP]([+-]?\d+)[fFdD]?$/

/** Java Double.valueOf; undefined for what it refuses. */
export function parseDouble(text: string): number | undefined {
  // Java trims everything up to the space, and nothing else.
  let from = 0
  let to = text.length
  while (from < to && text.charCodeAt(from) <= 32) from++
  while (to > from && text.charCodeAt(to - 1) <= 32) to--
  const trimmed = text.slice(from, to)
  if (DECIMAL.test(trimmed)) {
    if (trimmed.endsWith('NaN')) return Number.NaN
    return Number(trimmed.endsWith('Infinity') ? trimmed : trimmed.replace(/[fFdD]$/, ''))
  }
  const hex = HEX.exec(trimmed)
  if (hex === null) return undefined
  const [, sign, whole = '', fraction = '', only = '', exponent = '0'] = hex
  const digits = whole + fraction + only
  const scale = Number(exponent) - 4 * (fraction.length + only.length)
  const value = Number(BigInt(`0x${digits}`)) * 2 ** Math.max(-1074, Math.min(1024, scale))
  return sign === '-' ? -value : value
}

/** Java's sign of `left.compareTo(right)` after both are of one type. Throws Incomparable. */
export function compare(left: Exclude<Value, null>, right: Exclude<Value, null>): number {
  if (typeof left === 'string') {
    if (typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0
    return sameType(asTypeOf(left, right), right)
  }
  if (typeof left === 'boolean') {
    // RocketMQ casts the truth on the left to a string here, which throws.
    if (typeof right === 'string') throw new Incomparable()
    return typeof right === 'boolean' ? Number(left) - Number(right) : -1
  }
  if (typeof right === 'boolean') return -1
  return sameType(left, typeof right === 'string' ? asTypeOf(right, left) : right)
}

/** As `compare`, for `<`, `<=`, `>` and `>=`: two strings are compared as numbers. */
export function compareOrder(left: Exclude<Value, null>, right: Exclude<Value, null>): number {
  if (typeof left !== 'string' || typeof right !== 'string') return compare(left, right)
  const [a, b] = [parseDouble(left), parseDouble(right)]
  if (a === undefined || b === undefined) throw new Incomparable()
  return compareDoubles(a, b)
}

function asTypeOf(text: string, other: boolean | NumberValue): boolean | NumberValue {
  if (typeof other === 'boolean') return text.toLowerCase() === 'true'
  if (other.type === 'double') {
    const value = parseDouble(text)
    if (value !== undefined) return { type: 'double', value }
  } else {
    const value = parseWhole(text, other.type === 'int' ? INT_MAX : LONG_MAX)
    if (value !== undefined) {
      return other.type === 'int' ? { type: 'int', value: Number(value) } : { type: 'long', value }
    }
  }
  throw new Incomparable()
}

function sameType(left: boolean | NumberValue, right: boolean | NumberValue): number {
  if (typeof left === 'boolean' || typeof right === 'boolean') return Number(left) - Number(right)
  if (left.type === 'double' || right.type === 'double') return compareDoubles(Number(left.value), Number(right.value))
  return left.value < right.value ? -1 : left.value > right.value ? 1 : 0
}

/** Java Double.compare: -0.0 is below 0.0, and NaN is equal to itself and above everything. */
function compareDoubles(left: number, right: number): number {
  if (left < right) return -1
  if (left > right) return 1
  if (Object.is(left, right)) return 0
  if (Number.isNaN(left)) return 1
  if (Number.isNaN(right)) return -1
  return Object.is(left, -0) ? -1 : 1
}

/** Java's unary minus; of anything but a number: unknown. */
export function negated(value: Value): Value {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return null
  if (value.type === 'long') return { type: 'long', value: BigInt.asIntN(64, -value.value) }
  if (value.type === 'int') return { type: 'int', value: -value.value | 0 }
  return { type: 'double', value: -value.value }
}
