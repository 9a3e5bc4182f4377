/**
 * A block of the key index: 65,536 entries (hash, offset), sorted into 4,096 buckets by the top bits of the hash. On disk,
 * big-endian, 675,840 bytes:
 *
 *     at       bytes    field
 *     0        16,388   where each bucket begins (an entry's place), and the end: 4,097 × 4
 *     16,388   655,360  entries: hash (4), offset of the record (6); within a bucket in the order of the log
 *     671,748  4,092    0
 *
 * The hash is Java's hash code of `topic#key`, spread over all bits: short keys leave its top bits empty.
 */
import { present } from '../lib/assert.ts'
import { writeInt32 } from '../message/int64.ts'

export const BLOCK_ENTRIES = 65_536
export const BLOCK_BYTES = 675_840
export const ENTRY_BYTES = 10

const BUCKETS = 4096
const BUCKET_SHIFT = 20
const ENTRIES_AT = (BUCKETS + 1) * 4
const TWO_32 = 4294967296

/** What is known of a block without reading it. */
export interface BlockMeta {
  readonly sequence: number
  readonly minTimestampMs: number
  readonly maxTimestampMs: number
  readonly minOffset: number
  readonly maxOffset: number
}

/** Spreads a hash code over 32 bits (the finalizer of MurmurHash3: a bijection). */
export function spreadHash(hash: number): number {
  let spread = hash ^ (hash >>> 16)
  spread = Math.imul(spread, 0x85ebca6b)
  spread ^= spread >>> 13
  spread = Math.imul(spread, 0xc2b2ae35)
  return (spread ^ (spread >>> 16)) >>> 0
}

/** The block that is being filled, or is full and not written yet. Entries in the order of the log. */
export class OpenBlock {
  readonly sequence: number
  readonly hashes = new Uint32Array(BLOCK_ENTRIES)
  readonly offsets = new Float64Array(BLOCK_ENTRIES)
  count = 0
  minTimestampMs = 0
  maxTimestampMs = 0

  constructor(sequence: number) {
    this.sequence = sequence
  }

  get isFull(): boolean {
    return this.count === BLOCK_ENTRIES
  }

  add(hash: number, offset: number, timestampMs: number): void {
    if (this.count === 0) this.minTimestampMs = timestampMs
    this.maxTimestampMs = timestampMs
    this.hashes[this.count] = hash
    this.offsets[this.count] = offset
    this.count++
  }

  meta(): BlockMeta {
    return {
      sequence: this.sequence,
      minTimestampMs: this.minTimestampMs,
      maxTimestampMs: this.maxTimestampMs,
      minOffset: this.offsets[0] ?? 0,
      maxOffset: this.offsets[Math.max(0, this.count - 1)] ?? 0,
    }
  }

  /** Offsets of the entries with this hash, the newest first. */
  find(hash: number): number[] {
    const found: number[] = []
    for (let i = this.count - 1; i >= 0; i--) {
      if (this.hashes[i] === hash) found.push(this.offsets[i] ?? 0)
    }
    return found
  }
}

/** The block as it lies on disk: a counting sort by bucket, which keeps the order of the log within each. */
export function encodeBlock(block: OpenBlock): Buffer {
  const { hashes, offsets, count } = block
  const bytes = Buffer.alloc(BLOCK_BYTES)
  const places = new Uint32Array(BUCKETS + 1)
  for (let i = 0; i < count; i++) count1(places, ((hashes[i] ?? 0) >>> BUCKET_SHIFT) + 1)
  for (let bucket = 1; bucket <= BUCKETS; bucket++) {
    places[bucket] = (places[bucket] ?? 0) + (places[bucket - 1] ?? 0)
    writeInt32(bytes, bucket * 4, places[bucket] ?? 0)
  }
  for (let i = 0; i < count; i++) {
    const hash = hashes[i] ?? 0
    const bucket = hash >>> BUCKET_SHIFT
    const place = present(places[bucket], 'place of a bucket')
    places[bucket] = place + 1
    writeEntry(bytes, ENTRIES_AT + place * ENTRY_BYTES, hash, offsets[i] ?? 0)
  }
  return bytes
}

/** Where in a block the two numbers stand that say where the hash's bucket begins and ends. */
export function bucketPlace(hash: number): number {
  return (hash >>> BUCKET_SHIFT) * 4
}

/** Which bytes of the block hold the bucket; undefined when these two numbers cannot be right. */
export function bucketRange(bounds: Buffer): { readonly at: number; readonly length: number } | undefined {
  const from = bounds.readUInt32BE(0)
  const to = bounds.readUInt32BE(4)
  if (from > to || to > BLOCK_ENTRIES) return undefined
  return { at: ENTRIES_AT + from * ENTRY_BYTES, length: (to - from) * ENTRY_BYTES }
}

/** Offsets of the entries with this hash in the bytes of a bucket, the newest first. */
export function findInBucket(bucket: Buffer, hash: number): number[] {
  const found: number[] = []
  for (let at = bucket.length - ENTRY_BYTES; at >= 0; at -= ENTRY_BYTES) {
    if (bucket.readUInt32BE(at) === hash) found.push(readEntryOffset(bucket, at))
  }
  return found
}

export function writeEntry(bytes: Uint8Array, at: number, hash: number, offset: number): void {
  writeInt32(bytes, at, hash)
  const high = Math.floor(offset / TWO_32)
  bytes[at + 4] = high >>> 8
  bytes[at + 5] = high
  writeInt32(bytes, at + 6, offset)
}

export function readEntryOffset(bytes: Buffer, at: number): number {
  return bytes.readUInt16BE(at + 4) * TWO_32 + bytes.readUInt32BE(at + 6)
}

function count1(counts: Uint32Array, at: number): void {
  counts[at] = (counts[at] ?? 0) + 1
}
