/**
 * What this node may have acknowledged and another leader cut off: written to the folder `lost` before the log is cut.
 *
 *     lost/00000000000000104857-7-all.frames     offset of the first byte that was cut, term, all messages or `wait`: only
 *                                                those that did not wait
 *     ….pending                                  the cut is under way, or a crash came between: settled at the next open
 *     ….resent                                   its messages were sent again
 *
 * A file holds frames as they lay in the log (docs/store.md), back to back. One cut is at most what a leader may have
 * uncommitted; of more than `FILES_MAX` files the oldest go.
 */
import { errorCode } from '../lib/errors.ts'
import {
  frameFault,
  frameIndex,
  frameLength,
  frameRecordCount,
  frameRecordsStart,
  frameTerm,
} from '../message/entry-frame.ts'
import { findProperty, PropertyName } from '../message/properties.ts'
import { decodeRecords, type StoredMessage } from '../message/record.ts'
import type { Early } from './early-file.ts'
import { type FileSystem, readFile } from './file-system.ts'

export const LOST_FILES_MAX = 64

export interface LostFile {
  readonly name: string
  readonly term: number
  readonly isResent: boolean
  readonly messages: readonly StoredMessage[]
}

const NAME = /^(\d{20})-(\d+)-(all|wait)\.(frames|pending|resent)$/

export class LostMessages {
  readonly #fileSystem: FileSystem
  readonly #folder: string

  /** `folder` is made when there is something to put in. */
  constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem
    this.#folder = folder
  }

  /**
   * Keeps those of `frames` that were acknowledged early, durably. They begin at `offset` of the log. Done again after a
   * crash it ends the same.
   */
  async setAside(offset: number, frames: readonly Buffer[], early: Early): Promise<void> {
    const kept = frames.filter((frame) => mayBeAcknowledged(frame, early))
    if (kept.length === 0) return
    await this.#fileSystem.mkdir(this.#folder)
    const name = `${String(offset).padStart(20, '0')}-${early.term}-${early.all ? 'all' : 'wait'}.pending`
    const path = `${this.#folder}/${name}`
    const file = await this.#fileSystem.open(`${path}.part`, 'create')
    try {
      await file.truncate(0)
      await file.writev(kept, 0)
      await file.fdatasync()
    } finally {
      await file.close()
    }
    await this.#fileSystem.rename(`${path}.part`, path)
    await this.#fileSystem.fsyncFolder(this.#folder)
  }

  /** The log was cut, or it was not: `isCut` knows for the frame that a file begins with. */
  async settle(isCut: (index: number, term: number) => boolean): Promise<void> {
    for (const name of await this.#names()) {
      const path = `${this.#folder}/${name}`
      if (name.endsWith('.part')) await this.#fileSystem.unlink(path)
      if (!name.endsWith('.pending')) continue
      const first = framesOf((await readFile(this.#fileSystem, path)) ?? Buffer.alloc(0))[0]
      if (first === undefined || !isCut(frameIndex(first, 0), frameTerm(first, 0))) {
        await this.#fileSystem.unlink(path)
      } else {
        await this.#fileSystem.rename(path, path.replace(/pending$/, 'frames'))
      }
    }
    const old = (await this.#names()).filter((name) => NAME.test(name)).slice(0, -LOST_FILES_MAX)
    for (const name of old) await this.#fileSystem.unlink(`${this.#folder}/${name}`)
    if (old.length > 0) await this.#fileSystem.fsyncFolder(this.#folder)
  }

  /** All files that are settled, oldest first. */
  async list(): Promise<LostFile[]> {
    const files: LostFile[] = []
    for (const name of await this.#names()) {
      const [, , term, which, state] = NAME.exec(name) ?? []
      if (term === undefined || state === 'pending') continue
      const bytes = (await readFile(this.#fileSystem, `${this.#folder}/${name}`)) ?? Buffer.alloc(0)
      const messages = framesOf(bytes).flatMap((frame) => messagesOf(frame, which === 'all'))
      files.push({ name, term: Number(term), isResent: state === 'resent', messages })
    }
    return files
  }

  /** The messages of the file were sent again. */
  async markResent(name: string): Promise<void> {
    await this.#fileSystem.rename(`${this.#folder}/${name}`, `${this.#folder}/${name.replace(/frames$/, 'resent')}`)
    await this.#fileSystem.fsyncFolder(this.#folder)
  }

  async #names(): Promise<readonly string[]> {
    try {
      return await this.#fileSystem.readdir(this.#folder)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    }
  }
}

function mayBeAcknowledged(frame: Buffer, { term, all }: Early): boolean {
  if (frameTerm(frame, 0) !== term || frameRecordCount(frame, 0) === 0) return false
  return all || messagesOf(frame, false).length > 0
}

/** Whole frames, one by one, until something is none. */
export function framesOf(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = []
  for (let at = 0; at < bytes.length && frameFault(bytes, at, bytes.length) === undefined; ) {
    const end = at + frameLength(bytes, at)
    frames.push(bytes.subarray(at, end))
    at = end
  }
  return frames
}

function messagesOf(frame: Buffer, all: boolean): StoredMessage[] {
  const messages = decodeRecords(frame.subarray(frameRecordsStart(frame, 0)))
  if (all) return messages
  return messages.filter(({ properties }) => {
    const value = findProperty(properties, PropertyName.WAIT)
    return value !== undefined && value.toLowerCase() !== 'true'
  })
}
