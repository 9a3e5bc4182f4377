/**
 * Keys → records: `topic#key` for each of a message's KEYS and for its UNIQ_KEY (RocketMQ IndexService). Entries gather
 * in memory; a full block is written once, at the next checkpoint, and never changed. The block being filled rides in the
 * checkpoint itself. An entry is a hash and an offset: whoever asks looks at the record, so a collision costs a read.
 */
import { present } from '../lib/assert.ts'
import {
  BLOCK_BYTES,
  BLOCK_ENTRIES,
  OpenBlock,
  bucketPlace,
  bucketRange,
  encodeBlock,
  findInBucket,
  spreadHash,
  type BlockMeta,
} from './key-index-block.ts'
import { encodeKeyPart, type KeyIndexState } from './key-index-state.ts'
import type { KeySink } from './dispatcher.ts'
import type { PageFiles } from './page-files.ts'

/** Blocks of one file: 43 MB. */
export const BLOCKS_PER_FILE = 64
const BLOCK_MEMORY_BYTES = BLOCK_ENTRIES * 12

/** What one checkpoint does for the key index. */
export interface KeyIndexCut {
  readonly part: Buffer
  /** Writes and syncs the blocks that the part calls finished. */
  write(): Promise<void>
  /** The checkpoint is durable. */
  saved(): Promise<void>
}

export class KeyIndex implements KeySink {
  readonly #files: PageFiles
  /** On disk, ascending. */
  #blocks: BlockMeta[]
  /** Full, not on disk yet, ascending. */
  #full: OpenBlock[] = []
  #open: OpenBlock
  #firstSequence: number
  /** Entries of block `savedSequence` below this place are in the checkpoint, and all of the blocks before. */
  #savedSequence: number
  #savedEntries: number
  #lastOffset = 0

  constructor(files: PageFiles, state: KeyIndexState | undefined) {
    this.#files = files
    this.#blocks = state?.blocks ?? []
    this.#open = state?.open ?? new OpenBlock(1)
    this.#firstSequence = this.#blocks[0]?.sequence ?? this.#open.sequence
    this.#savedSequence = this.#open.sequence
    this.#savedEntries = this.#open.count
    this.#lastOffset = this.#open.count > 0 ? this.#open.meta().maxOffset : (this.#blocks.at(-1)?.maxOffset ?? 0)
  }

  /** Memory of full blocks that wait for a checkpoint. */
  get waitingBytes(): number {
    return this.#full.length * BLOCK_MEMORY_BYTES
  }

  /** Offset and store time of the newest entry. */
  get last(): { readonly offset: number; readonly timestampMs: number } {
    const timestampMs =
      this.#open.count > 0 ? this.#open.maxTimestampMs : (this.#full.at(-1) ?? this.#blocks.at(-1))?.maxTimestampMs
    return { offset: this.#lastOffset, timestampMs: timestampMs ?? 0 }
  }

  get blockCount(): number {
    return this.#blocks.length + this.#full.length + 1
  }

  add(hash: number, offset: number, storeTimestampMs: number): void {
    this.#open.add(spreadHash(hash), offset, storeTimestampMs)
    this.#lastOffset = offset
    if (!this.#open.isFull) return
    this.#full.push(this.#open)
    this.#open = new OpenBlock(this.#open.sequence + 1)
  }

  /**
   * Offsets of records that may have the key and may have been stored in [beginMs, endMs], the newest first. Both must be
   * looked at in the record itself.
   */
  async *find(hash: number, beginMs: number, endMs: number): AsyncGenerator<number> {
    const spread = spreadHash(hash)
    const inMemory = [...this.#full, this.#open]
    const onDisk = [...this.#blocks]
    for (const block of inMemory.toReversed()) {
      if (block.count === 0 || block.minTimestampMs > endMs) continue
      if (block.maxTimestampMs < beginMs) return
      yield* block.find(spread)
    }
    for (const meta of onDisk.toReversed()) {
      if (meta.minTimestampMs > endMs) continue
      if (meta.maxTimestampMs < beginMs) return
      if (meta.sequence >= this.#firstSequence) yield* await this.#findOnDisk(meta.sequence, spread)
    }
  }

  /** Drops the blocks all of whose records lie below the log's start; their files go after the next checkpoint. */
  moveLogStart(offset: number): void {
    this.#blocks = this.#blocks.filter((meta) => meta.maxOffset >= offset)
    this.#firstSequence = this.#blocks[0]?.sequence ?? this.#full[0]?.sequence ?? this.#open.sequence
  }

  cut(isWhole: boolean): KeyIndexCut {
    const full = [...this.#full]
    const open = this.#open
    const entries = open.count
    const finished = full.map((block) => block.meta())
    const from = isWhole || open.sequence !== this.#savedSequence ? 0 : this.#savedEntries
    const part = encodeKeyPart({
      firstSequence: this.#firstSequence,
      finished: isWhole ? [...this.#blocks, ...finished] : finished,
      open,
      from,
    })
    const firstKept = this.#firstSequence
    return {
      part,
      write: () => this.#write(full),
      saved: async () => {
        this.#full = this.#full.slice(full.length)
        this.#blocks.push(...finished)
        this.#savedSequence = open.sequence
        this.#savedEntries = entries
        await this.#removeFilesBelow(firstKept)
      },
    }
  }

  bytesOnDisk(): Promise<number> {
    return this.#files.bytesOnDisk()
  }

  close(): Promise<void> {
    return this.#files.close()
  }

  async #write(full: readonly OpenBlock[]): Promise<void> {
    for (const block of full) {
      await this.#files.write(fileOf(block.sequence), [encodeBlock(block)], positionOf(block.sequence))
    }
    await this.#files.sync()
  }

  async #findOnDisk(sequence: number, spread: number): Promise<number[]> {
    const start = positionOf(sequence)
    const bounds = Buffer.allocUnsafe(8)
    await this.#files.read(fileOf(sequence), bounds, start + bucketPlace(spread))
    const range = bucketRange(bounds)
    if (range === undefined || range.length === 0) return []
    const bucket = Buffer.allocUnsafe(range.length)
    await this.#files.read(fileOf(sequence), bucket, start + range.at)
    return findInBucket(bucket, spread)
  }

  async #removeFilesBelow(sequence: number): Promise<void> {
    for (const file of this.#files.numbers()) {
      if ((file + 1) * BLOCKS_PER_FILE <= sequence) await this.#files.remove(present(file, 'file number'))
    }
  }
}

function fileOf(sequence: number): number {
  return Math.floor(sequence / BLOCKS_PER_FILE)
}

function positionOf(sequence: number): number {
  return (sequence % BLOCKS_PER_FILE) * BLOCK_BYTES
}
