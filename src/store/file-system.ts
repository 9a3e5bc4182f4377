/**
 * What the store needs of a disk, as a port. `node-file-system.ts` is the machine's; `test/support/faulty-file-system.ts`
 * loses, tears and reorders what was not synced. One contract suite runs on both (`test/suites/file-system.ts`).
 *
 * What a crash may do (see "Assumptions about media" in `docs/store.md`): bytes written and a length changed since the
 * file's last sync may be there, not there, or there in part; a name created, renamed or removed since the folder's last
 * sync may be as before or as after. Errors carry Node's codes (`ENOSPC`, `EIO`, `ENOENT`, …).
 */

/**
 * - `read`: must exist
 * - `write`: must exist; read and write
 * - `create`: made when missing; read and write
 * - `createNew`: `EEXIST` when it is there; read and write
 */
export type OpenMode = 'read' | 'write' | 'create' | 'createNew'

export interface OpenFile {
  /** Fills `target` from `position`; returns how many bytes there were, fewer only at the end of the file. */
  pread(target: Uint8Array, position: number): Promise<number>
  /** Writes all buffers back to back from `position`, beyond the end too. After a rejection any part may be written. */
  writev(buffers: readonly Uint8Array[], position: number): Promise<void>
  /**
   * As `writev`, and durable when it resolves: these bytes and the length needed to read them, not what was written
   * before. One way to the disk where the system can do it (O_DSYNC), else a write and a sync.
   */
  writevDurable(buffers: readonly Uint8Array[], position: number): Promise<void>
  /** Makes what was written before durable, with the length needed to read it. A rejection: nothing may be believed. */
  fdatasync(): Promise<void>
  /** Cuts or extends (with zeros) to `length`; durable after `fdatasync`. */
  truncate(length: number): Promise<void>
  size(): Promise<number>
  /** Idempotent. */
  close(): Promise<void>
}

export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>
  /** Makes the folder and those above it, durably; nothing when it is there. */
  mkdir(path: string): Promise<void>
  /**
   * As `pread` of the file at `path`, at once. For the one place that must not wait: cutting the log at an entry that is no
   * longer in memory.
   */
  readSync(path: string, target: Uint8Array, position: number): number
  /** Names in the folder, sorted. */
  readdir(path: string): Promise<string[]>
  /** Undefined when nothing has this name. */
  stat(path: string): Promise<{ readonly size: number; readonly isFolder: boolean } | undefined>
  /** Replaces what has the name `to`. */
  rename(from: string, to: string): Promise<void>
  /** Nothing when it is gone already. */
  unlink(path: string): Promise<void>
  /** Removes a folder with all in it; nothing when it is gone already. */
  removeFolder(path: string): Promise<void>
  /** Makes names created, renamed and removed in the folder durable. */
  fsyncFolder(path: string): Promise<void>
  /** Room on the disk that holds `path`. */
  space(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }>
}

/** Reads exactly `length` bytes, or undefined when the file ends before. */
export async function readExactly(file: OpenFile, position: number, length: number): Promise<Buffer | undefined> {
  const buffer = Buffer.allocUnsafe(length)
  const got = await file.pread(buffer, position)
  return got === length ? buffer : undefined
}

/** The whole file, or undefined when it does not exist. */
export async function readFile(fileSystem: FileSystem, path: string): Promise<Buffer | undefined> {
  const found = await fileSystem.stat(path)
  if (found === undefined || found.isFolder) return undefined
  const file = await fileSystem.open(path, 'read')
  try {
    const buffer = Buffer.allocUnsafe(await file.size())
    return buffer.subarray(0, await file.pread(buffer, 0))
  } finally {
    await file.close()
  }
}
