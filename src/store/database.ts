/**
 * What the snapshot of the tables needs of a store of keys, as a port. `level-database.ts` is LevelDB; the simulator hands
 * in one in memory that loses what LevelDB may lose.
 *
 * What a crash may do: a batch that was not synced may be gone, with everything after it up to the next synced one; never
 * half of one. A batch that resolved with `sync` is there.
 */
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
