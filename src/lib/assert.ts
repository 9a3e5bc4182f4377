/**
 * Assertions are for our own bugs and are always on: a broken invariant ends the node rather than the data.
 * Input from wire, disk or a person is never asserted; it is validated and answered with an error (`errors.ts`).
 */

export class AssertionError extends Error {
  override readonly name = 'AssertionError'
  readonly code = 'RMQ_ASSERTION'
}

/** Ends the current turn with an `AssertionError` unless `condition` holds. One condition per call. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** For the branch that a complete table or union makes impossible. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`)
}

/** `value`, checked to be a non-negative integer that a double holds exactly (offsets, indexes, terms). */
export function safeInteger(value: number, what: string): number {
  assert(Number.isSafeInteger(value), `${what} is not a safe integer: ${value}`)
  assert(value >= 0, `${what} is negative: ${value}`)
  return value
}

/** `value`, which the caller knows to be there. */
export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new AssertionError(`missing: ${what}`)
  return value
}
