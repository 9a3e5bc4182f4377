/**
 * The key index's part of a checkpoint record. Big-endian:
 *
 *     4  the first block kept (those before were dropped with the log's start)
 *     4  blocks finished, then for each: 4 sequence, 8 + 8 first and last store time, 8 + 8 first and last offset
 *     4  the block being filled    8 + 8 its first and last store time
 *     4  place of the first entry that follows   4  entries, then each: 4 hash, 6 offset
 *
 * In a change, only what the record before does not say: entries go on from the place named.
 */
import { ByteReader, ByteWriter } from './checkpoint-bytes.ts'
import {
  BLOCK_ENTRIES,
  ENTRY_BYTES,
  OpenBlock,
  readEntryOffset,
  writeEntry,
  type BlockMeta,
} from './key-index-block.ts'

export interface KeyIndexPart {
  readonly firstSequence: number
  readonly finished: readonly BlockMeta[]
  readonly open: OpenBlock
  /** Entries of `open` from here on are in the part. */
  readonly from: number
}

export interface KeyIndexState {
  readonly blocks: BlockMeta[]
  readonly open: OpenBlock
}

export function encodeKeyPart(part: KeyIndexPart): Buffer {
  const { open, from } = part
  const writer = new ByteWriter()
  writer.u32(part.firstSequence)
  writer.u32(part.finished.length)
  for (const meta of part.finished) {
    writer.u32(meta.sequence)
    writer.i64(meta.minTimestampMs)
    writer.i64(meta.maxTimestampMs)
    writer.i64(meta.minOffset)
    writer.i64(meta.maxOffset)
  }
  writer.u32(open.sequence)
  writer.i64(open.minTimestampMs)
  writer.i64(open.maxTimestampMs)
  writer.u32(from)
  writer.u32(open.count - from)
  const entries = Buffer.allocUnsafe((open.count - from) * ENTRY_BYTES)
  for (let i = from; i < open.count; i++) {
    writeEntry(entries, (i - from) * ENTRY_BYTES, open.hashes[i] ?? 0, open.offsets[i] ?? 0)
  }
  writer.bytes(entries)
  return writer.take()
}

/** What the parts of a whole record and of the changes after it say together; undefined when they do not fit. */
export function decodeKeyParts(parts: readonly Buffer[]): KeyIndexState | undefined {
  let blocks: BlockMeta[] = []
  let open = new OpenBlock(1)
  for (const part of parts) {
    const reader = new ByteReader(part)
    const firstSequence = reader.u32()
    for (let left = reader.u32(); left > 0; left--) blocks.push(readMeta(reader))
    blocks = blocks.filter((meta) => meta.sequence >= firstSequence)
    const sequence = reader.u32()
    if (sequence !== open.sequence) open = new OpenBlock(sequence)
    open.minTimestampMs = reader.i64()
    open.maxTimestampMs = reader.i64()
    const from = reader.u32()
    const count = reader.u32()
    if (from > open.count || from + count > BLOCK_ENTRIES) return undefined
    const entries = reader.bytes(count * ENTRY_BYTES)
    for (let i = 0; i < count; i++) {
      open.hashes[from + i] = entries.readUInt32BE(i * ENTRY_BYTES)
      open.offsets[from + i] = readEntryOffset(entries, i * ENTRY_BYTES)
    }
    open.count = from + count
  }
  return { blocks, open }
}

function readMeta(reader: ByteReader): BlockMeta {
  return {
    sequence: reader.u32(),
    minTimestampMs: reader.i64(),
    maxTimestampMs: reader.i64(),
    minOffset: reader.i64(),
    maxOffset: reader.i64(),
  }
}
