/** Arguments of commands and rows of snapshots, as lists: their shape is our own, so a wrong one is our bug. */
import { assert } from '../../lib/assert.ts'

export function listOf(value: unknown): readonly unknown[] {
  assert(isList(value), 'a list')
  return value
}

export function numbersOf(value: unknown): readonly number[] {
  assert(isNumbers(value), 'a list of numbers')
  return value
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function isNumbers(value: unknown): value is readonly number[] {
  return isList(value) && value.every((one) => typeof one === 'number')
}
