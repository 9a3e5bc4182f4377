/**
 * The log's files as the group commit sees them: one file that grows, its beginning, its end. Steps are idempotent: one
 * that met a full disk is done again.
 */
import { present } from '../lib/assert.ts'
import { errorCode, errorMessage } from '../lib/errors.ts'
import type { DescriptorPool } from './descriptor-pool.ts'
import { storeErrors } from './errors.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import type { CommitTarget } from './commit-target.ts'
import type { LogPosition } from './log-position.ts'
import { segmentName } from './segment.ts'

export interface LogFilesNeeds {
  readonly fileSystem: FileSystem
  /** The folder of the segments. */
  readonly folder: string
  readonly descriptors: DescriptorPool
  /**
   * Called before the log is cut, with the segments that end behind `to`: when it resolves, nothing on disk says that
   * more is durable than `to`.
   */
  readonly beforeTruncate: (to: LogPosition, segments: readonly number[]) => Promise<void>
}

export class LogFiles implements CommitTarget {
  readonly #need: LogFilesNeeds
  /** Offsets of the segments on disk, ascending; the last one is being written. */
  #starts: number[]
  #file: OpenFile

  constructor(need: LogFilesNeeds, starts: readonly number[], file: OpenFile) {
    this.#need = need
    this.#starts = [...starts]
    this.#file = file
  }

  async write(buffers: readonly Buffer[], offset: number): Promise<void> {
    await this.#file.writev(buffers, offset - this.#current)
  }

  async writeDurable(buffers: readonly Buffer[], offset: number): Promise<void> {
    await this.#file.writevDurable(buffers, offset - this.#current)
  }

  async sync(): Promise<void> {
    await syncFile(this.#file)
  }

  async roll(start: LogPosition): Promise<void> {
    await syncFile(this.#file)
    const next = await beginSegment(this.#need, start.offset)
    const full = this.#file
    this.#file = next
    if (this.#current !== start.offset) this.#starts.push(start.offset)
    await full.close()
  }

  async truncate(to: LogPosition): Promise<void> {
    const { fileSystem, folder, descriptors, beforeTruncate } = this.#need
    const cut = this.#starts.filter((_, at) => (this.#starts[at + 1] ?? Infinity) > to.offset)
    await beforeTruncate(to, cut)
    // Later segments go first, durably: a segment is never followed by one that does not begin at its end.
    while (this.#current > to.offset) {
      await this.#file.close()
      const gone = this.#current
      await fileSystem.unlink(`${folder}/${segmentName(gone)}`)
      await fileSystem.fsyncFolder(folder)
      descriptors.forget(gone)
      const before = present(this.#starts.at(-2), 'segment before')
      this.#file = await fileSystem.open(`${folder}/${segmentName(before)}`, 'write')
      this.#starts.pop()
    }
    await this.#file.truncate(to.offset - this.#current)
    await syncFile(this.#file)
  }

  /** Everything was replaced by one empty segment, which begins at `start`. */
  async reset(start: number, file: OpenFile): Promise<void> {
    await this.#file.close()
    this.#starts = [start]
    this.#file = file
  }

  /** Retention removed the segments that begin before `offset`. */
  dropped(offset: number): void {
    this.#starts = this.#starts.filter((start) => start >= offset)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  get #current(): number {
    return present(this.#starts.at(-1), 'segment that is written')
  }
}

/** Makes the empty file of a segment, durably. */
export async function beginSegment(
  need: { readonly fileSystem: FileSystem; readonly folder: string; readonly descriptors: DescriptorPool },
  offset: number,
): Promise<OpenFile> {
  const path = `${need.folder}/${segmentName(offset)}`
  const file = await open()
  try {
    await file.truncate(0)
    await syncFile(file)
    await need.fileSystem.fsyncFolder(need.folder)
    return file
  } catch (error) {
    await file.close()
    throw error
  }

  async function open(): Promise<OpenFile> {
    try {
      return await need.fileSystem.open(path, 'create')
    } catch (error) {
      if (errorCode(error) !== 'EMFILE') throw error
      // The writer comes before idle readers.
      need.descriptors.closeIdle()
      return need.fileSystem.open(path, 'create')
    }
  }
}

/** A failed sync is final: the cache may have dropped what it could not write (see docs/store.md). */
export async function syncFile(file: OpenFile): Promise<void> {
  try {
    await file.fdatasync()
  } catch (error) {
    throw storeErrors.create(
      'STORE_SYNC_FAILED',
      `the disk failed to sync the CommitLog: ${errorMessage(error)}`,
      error,
    )
  }
}
