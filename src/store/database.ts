/**
 * What the snapshot of the tables, and the index of timers, need of a store of keys, as a port. `level-database.ts` is LevelDB; the simulator hands
 * in one in memory that loses what LevelDB may lose.
 *
 * What a crash may do: a batch that was not synced may be gone, with everything after it up to the next synced one; never
 * half of one. A batch that resolved with `sync` is there.
 */
import { errorMessage } from '../lib/errors.ts'
import { storeErrors } from './errors.ts'

export type DatabaseChange =
  | { readonly type: 'put'; readonly key: string; readonly value: Buffer }
  | { readonly type: 'del'; readonly key: string }

export interface Database {
  get(key: string): Promise<Buffer | undefined>
  /** From `from` on and below `below`, in key order. */
  rows(from: string, below: string): AsyncIterable<readonly [key: string, value: Buffer]>
  /** All or nothing. After a rejection it may be tried again. */
  write(changes: readonly DatabaseChange[], options: { readonly sync: boolean }): Promise<void>
  clear(): Promise<void>
  close(): Promise<void>
}

/** Opens the one in this folder, making it when it is not there. */
export type OpenDatabase = (folder: string) => Promise<Database>

/** The error of a write. LevelDB tells of a full disk by its text alone; callers know it by the code that files have. */
export function databaseFailure(what: string, cause: unknown): Error {
  const message = `${what} could not be written: ${errorMessage(cause)}`
  if (!saysNoRoom(cause)) return storeErrors.create('STORE_WRITE_FAILED', message, cause)
  return Object.assign(new Error(message, { cause }), { code: 'ENOSPC' })
}

function saysNoRoom(cause: unknown): boolean {
  if (/no space left|quota exceeded/i.test(errorMessage(cause))) return true
  return cause instanceof Error && cause.cause !== undefined && saysNoRoom(cause.cause)
}
