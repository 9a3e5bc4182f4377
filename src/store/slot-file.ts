/**
 * A small value that must survive anything but the loss of both its copies: two slots, each with a checksum and a
 * sequence number. Big-endian.
 *
 *     at     bytes  field                     slot 0 begins at 0, slot 1 at 4096
 *     0      4      magic 'RMQS'
 *     4      4      CRC-32 of bytes 8…24+n
 *     8      4      length n of the value, at most 4072
 *     12     4      zero
 *     16     8      sequence, from 1
 *     24     n      the value
 *
 * `save` writes one slot, syncs, writes the other, syncs. So a crash tears at most one slot, and a slot that rots after
 * `save` resolved leaves the same value in the other one: no single fault brings an older value back.
 * Both slots are laid out when the file is made: a full disk does not stop them later.
 */
import { crc32 } from 'node:zlib'
import { assert } from '../lib/assert.ts'
import { readInt64, writeInt32, writeInt64 } from '../message/int64.ts'
import { storeErrors } from './errors.ts'
import { type FileSystem, type OpenFile, readFile } from './file-system.ts'

const MAGIC = 0x524d5153
const HEADER_BYTES = 24
const SLOT_BYTES = 4096
export const SLOT_VALUE_BYTES_MAX = SLOT_BYTES - HEADER_BYTES

type Slot = { readonly sequence: number; readonly value: Buffer } | 'blank' | 'bad'

export class SlotFile {
  readonly #file: OpenFile
  #value: Buffer | undefined
  #sequence: number
  /** The slot that the next `advance` writes: never the one that holds the newest value alone. */
  #next: number
  #busy = false
  /** A file that failed once is not written again. */
  #failure: { readonly error: unknown } | undefined

  private constructor(file: OpenFile, slots: readonly Slot[]) {
    this.#file = file
    const newest = newestOf(slots)
    this.#value = newest?.value
    this.#sequence = newest?.sequence ?? 0
    this.#next = newest === undefined ? 0 : 1 - newest.at
  }

  /**
   * Opens the file, making it when it is not there. Throws `STORE_SLOTS_CORRUPT` when a value was saved once and none
   * can be read.
   */
  static async open(fileSystem: FileSystem, path: string): Promise<SlotFile> {
    const file = await fileSystem.open(path, 'create')
    try {
      const content = Buffer.alloc(2 * SLOT_BYTES)
      const length = await file.pread(content, 0)
      const slots = readSlots(content, path)
      if (length < content.length) {
        await file.writev([Buffer.alloc(content.length - length)], length)
        await file.fdatasync()
      }
      const slotFile = new SlotFile(file, slots)
      // What a killed process wrote and never synced is read from the cache and may still be lost: nothing may stand on
      // it before it is durable. It also heals a damaged copy.
      if (slotFile.value !== undefined) await slotFile.save(slotFile.value)
      return slotFile
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** The value saved last, by whomever: read and nothing else. Throws as `open`. */
  static async peek(fileSystem: FileSystem, path: string): Promise<Buffer | undefined> {
    const content = Buffer.alloc(2 * SLOT_BYTES)
    const found = await readFile(fileSystem, path)
    found?.copy(content)
    return newestOf(readSlots(content, path))?.value
  }

  /** The value saved last; undefined when none ever was. */
  get value(): Buffer | undefined {
    return this.#value
  }

  /** Resolves when both copies are durable. One call at a time. After a failure every further one fails in the same way. */
  async save(value: Buffer): Promise<void> {
    await this.advance(value)
    await this.advance(value)
  }

  /** Writes one copy only: after a fault of that copy an earlier value may come back. One call at a time. */
  async advance(value: Buffer): Promise<void> {
    assert(value.length <= SLOT_VALUE_BYTES_MAX, `a value of ${value.length} bytes does not fit its slot`)
    if (this.#failure !== undefined) throw this.#failure.error
    assert(!this.#busy, 'one save at a time')
    this.#busy = true
    const slot = Buffer.alloc(HEADER_BYTES + value.length)
    writeInt32(slot, 0, MAGIC)
    writeInt32(slot, 8, value.length)
    writeInt64(slot, 16, this.#sequence + 1)
    slot.set(value, HEADER_BYTES)
    writeInt32(slot, 4, crc32(slot.subarray(8)))
    try {
      await this.#file.writev([slot], this.#next * SLOT_BYTES)
      await this.#file.fdatasync()
    } catch (error) {
      this.#failure = { error }
      throw error
    } finally {
      this.#busy = false
    }
    this.#sequence++
    this.#next = 1 - this.#next
    this.#value = value
  }

  close(): Promise<void> {
    return this.#file.close()
  }
}

function readSlots(content: Buffer, path: string): readonly Slot[] {
  const slots = [readSlot(content.subarray(0, SLOT_BYTES)), readSlot(content.subarray(SLOT_BYTES))]
  // A blank slot beside a bad one is a first save that was torn: nothing stands on it yet.
  const isLost = slots.every((slot) => slot === 'bad')
  if (isLost) throw storeErrors.create('STORE_SLOTS_CORRUPT', `both copies in ${path} are damaged`)
  return slots
}

function newestOf(slots: readonly Slot[]): { sequence: number; value: Buffer; at: number } | undefined {
  let newest: { sequence: number; value: Buffer; at: number } | undefined
  for (const [at, slot] of slots.entries()) {
    if (typeof slot === 'object' && slot.sequence > (newest?.sequence ?? 0)) newest = { ...slot, at }
  }
  return newest
}

function readSlot(slot: Buffer): Slot {
  if (slot.every((byte) => byte === 0)) return 'blank'
  const length = slot.readUInt32BE(8)
  if (slot.readUInt32BE(0) !== MAGIC || length > SLOT_VALUE_BYTES_MAX) return 'bad'
  if (crc32(slot.subarray(8, HEADER_BYTES + length)) !== slot.readUInt32BE(4)) return 'bad'
  return { sequence: readInt64(slot, 16), value: Buffer.from(slot.subarray(HEADER_BYTES, HEADER_BYTES + length)) }
}

/**
 * Opens the file as `SlotFile.open` does, and reads its value. Throws `STORE_NEWER_FORMAT` when `decode` does not know the
 * form of it (undefined).
 */
export async function openSlots<T>(
  fileSystem: FileSystem,
  path: string,
  decode: (value: Buffer) => T | undefined,
): Promise<{ readonly slots: SlotFile; readonly value: T | undefined }> {
  const slots = await SlotFile.open(fileSystem, path)
  if (slots.value === undefined) return { slots, value: undefined }
  const value = decode(slots.value)
  if (value !== undefined) return { slots, value }
  await slots.close()
  throw storeErrors.create('STORE_NEWER_FORMAT', `${path} is of a form that this version does not know`)
}
