/** Between callbacks and promises. */
import { clientErrors } from '../core/errors.ts'

/** Ends a promise by what a callback was told. */
export function settle<Result>(
  resolve: (result: Result) => void,
  reject: (error: Error) => void,
  error: Error | undefined,
  result: Result | undefined,
): void {
  if (result === undefined) reject(error ?? clientErrors.create('CLIENT_PROTOCOL', 'no result'))
  else resolve(result)
}

/** Resolves when the signal fires; never without one. */
export function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) resolve()
    else signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Tells `done` why nothing is sent; returns what a send returns to give it up. */
export function refused(why: unknown, done: (error: Error, result: undefined) => void): (error: Error) => void {
  done(why instanceof Error ? why : new Error(String(why)), undefined)
  return nothing
}

export function nothing(): void {}
