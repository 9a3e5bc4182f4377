/**
 * The checkpoint file: how far everything derived is durable, and which pages are whose. One record is one checkpoint:
 *
 *     file    magic 'RMQC' (4), version 1 (4), then records
 *     record  length of the payload (4), CRC-32 of the payload (4), payload (`checkpoint-codec.ts`)
 *
 * A record is appended and synced after everything it speaks of is. A crash tears at most the last one: the one before
 * counts. Changes are appended until they outweigh the whole; then a new file with a whole record takes the name.
 */
import { crc32 } from 'node:zlib'
import { CheckpointReader, type CheckpointImage } from './checkpoint-codec.ts'
import { storeErrors } from './errors.ts'
import { readFile, type FileSystem, type OpenFile } from './file-system.ts'

const MAGIC = 0x524d5143
const VERSION = 1
const FILE_HEADER_BYTES = 8
const RECORD_HEADER_BYTES = 8
/** Changes of less than this are never worth a new file. */
const REWRITE_BYTES_MIN = 4 * 1024 * 1024

export class Checkpoint {
  readonly #fileSystem: FileSystem
  readonly #folder: string
  #file: OpenFile | undefined
  #length = 0
  #wholeBytes = 0
  /** The next record must be whole: there is none yet, or the last write failed and left who knows what. */
  #mustBeWhole = true
  #isClosed = false

  private constructor(fileSystem: FileSystem, folder: string) {
    this.#fileSystem = fileSystem
    this.#folder = folder
  }

  /** Opens the file and says what its last whole record means; undefined when there is none: derive everything anew. */
  static async open(
    fileSystem: FileSystem,
    folder: string,
  ): Promise<{ readonly checkpoint: Checkpoint; readonly image: CheckpointImage | undefined }> {
    await fileSystem.mkdir(folder)
    const checkpoint = new Checkpoint(fileSystem, folder)
    const bytes = await readFile(fileSystem, checkpoint.#path)
    const reader = new CheckpointReader()
    let at = FILE_HEADER_BYTES
    if (
      bytes !== undefined &&
      bytes.length >= at &&
      bytes.readUInt32BE(0) === MAGIC &&
      bytes.readUInt32BE(4) === VERSION
    ) {
      for (let end = recordEnd(bytes, at); end > 0; end = recordEnd(bytes, at)) {
        if (!addRecord(reader, bytes.subarray(at + RECORD_HEADER_BYTES, end))) break
        at = end
      }
    }
    // The file is begun anew at the first checkpoint of this run: what follows the last good record is of no use.
    return { checkpoint, image: reader.image() }
  }

  /** Whether the next record has to say everything. */
  get needsWhole(): boolean {
    return this.#mustBeWhole || this.#length > Math.max(REWRITE_BYTES_MIN, 3 * this.#wholeBytes)
  }

  get bytesOnDisk(): number {
    return this.#length
  }

  /** Writes a record and makes it durable. After a rejection the checkpoint before still counts. */
  async save(payload: Buffer, isWhole: boolean): Promise<void> {
    if (this.#isClosed) throw storeErrors.create('STORE_CLOSED', 'the checkpoint file is closed')
    const head = Buffer.allocUnsafe(RECORD_HEADER_BYTES)
    head.writeUInt32BE(payload.length, 0)
    head.writeUInt32BE(crc32(payload), 4)
    this.#mustBeWhole = true
    if (isWhole) await this.#rewrite([head, payload])
    else await this.#append([head, payload])
    this.#mustBeWhole = false
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#closeFile()
  }

  async #append(buffers: readonly Buffer[]): Promise<void> {
    const file = this.#file ?? (await this.#fileSystem.open(this.#path, 'write'))
    this.#file = file
    await file.writev(buffers, this.#length)
    await file.fdatasync()
    for (const buffer of buffers) this.#length += buffer.length
  }

  async #rewrite(buffers: readonly Buffer[]): Promise<void> {
    await this.#closeFile()
    const draft = `${this.#path}.new`
    await this.#fileSystem.unlink(draft)
    const file = await this.#fileSystem.open(draft, 'createNew')
    try {
      const head = Buffer.allocUnsafe(FILE_HEADER_BYTES)
      head.writeUInt32BE(MAGIC, 0)
      head.writeUInt32BE(VERSION, 4)
      await file.writev([head, ...buffers], 0)
      await file.fdatasync()
      await this.#fileSystem.rename(draft, this.#path)
      await this.#fileSystem.fsyncFolder(this.#folder)
    } catch (error) {
      await file.close()
      throw error
    }
    this.#file = file
    this.#length = FILE_HEADER_BYTES
    for (const buffer of buffers) this.#length += buffer.length
    this.#wholeBytes = this.#length
  }

  async #closeFile(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }

  get #path(): string {
    return `${this.#folder}/checkpoint`
  }
}

/** Where the record at `at` ends; 0 when there is no whole, sound one. */
function recordEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at < RECORD_HEADER_BYTES) return 0
  const end = at + RECORD_HEADER_BYTES + bytes.readUInt32BE(at)
  if (end > bytes.length) return 0
  return crc32(bytes.subarray(at + RECORD_HEADER_BYTES, end)) === bytes.readUInt32BE(at + 4) ? end : 0
}

function addRecord(reader: CheckpointReader, payload: Buffer): boolean {
  try {
    return reader.add(payload)
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
