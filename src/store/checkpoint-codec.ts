/**
 * One record of the checkpoint file. A *whole* one says everything, a *change* says what is different since the record
 * before it. Payload, big-endian:
 *
 *     1   kind: 1 whole, 2 change
 *     8   index of the last entry that is derived        8  where its records end in the CommitLog
 *     8   where the log starts (retention)                4  the next queue number
 *     4   queues removed, then their numbers (4 each)
 *     4   queues, then for each:
 *           4  number   1  new: 1 (then 2 + n topic, 4 queueId) or 0
 *           8  min      8  next      8  CommitLog offset of the unit at min
 *           4  index of its first page
 *           4  index of the first page named here   4  pages named, then their numbers (4 each)
 *     rest  the key index's own part (`key-index-state.ts`)
 *
 * A change names only pages that were added; pages given back are those below "index of its first page".
 */
import type { ConsumeQueue, ConsumeQueueState } from './consume-queue.ts'
import { ByteReader, ByteWriter } from './checkpoint-bytes.ts'

export interface CheckpointMeta {
  /** Raft index of the last entry whose records are in the queues and indexes. */
  readonly index: number
  /** Where the records of that entry end. */
  readonly endOffset: number
  /** Retention's start of the log: queues begin at or after it. */
  readonly logStart: number
  readonly nextQueueNumber: number
}

export interface CheckpointImage extends CheckpointMeta {
  readonly queues: ReadonlyMap<number, ConsumeQueueState>
  /** The key index's part of the last whole record and of the changes after it. */
  readonly keyParts: readonly Buffer[]
}

export interface CheckpointDraft {
  readonly isWhole: boolean
  readonly meta: CheckpointMeta
  readonly removed: readonly number[]
  readonly queues: Iterable<ConsumeQueue>
  readonly keyPart: Buffer
}

/** Encodes what is true at this moment. */
export function encodeCheckpoint(draft: CheckpointDraft): Buffer {
  const { isWhole, meta } = draft
  const writer = new ByteWriter()
  writer.u8(isWhole ? 1 : 2)
  writer.i64(meta.index)
  writer.i64(meta.endOffset)
  writer.i64(meta.logStart)
  writer.u32(meta.nextQueueNumber)
  writer.u32(draft.removed.length)
  for (const number of draft.removed) writer.u32(number)
  const countAt = writer.length
  writer.u32(0)
  let count = 0
  for (const queue of draft.queues) {
    if (queue.isRemoved) continue
    writeQueue(writer, queue, isWhole)
    count++
  }
  writer.setU32(countAt, count)
  writer.bytes(draft.keyPart)
  return writer.take()
}

function writeQueue(writer: ByteWriter, queue: ConsumeQueue, isWhole: boolean): void {
  const isNew = isWhole || !queue.isSaved
  writer.u32(queue.number)
  writer.u8(isNew ? 1 : 0)
  if (isNew) {
    writer.text(queue.topic)
    writer.u32(queue.queueId)
  }
  writer.i64(queue.min)
  writer.i64(queue.next)
  writer.i64(queue.minUnitOffset)
  writer.u32(queue.firstPageIndex)
  const namedFrom = isNew ? queue.firstPageIndex : Math.min(queue.savedPages, queue.pageEnd)
  const pages = queue.pageNumbers(namedFrom - queue.firstPageIndex)
  writer.u32(namedFrom)
  writer.u32(pages.length)
  for (const page of pages) writer.u32(page)
}

interface Row {
  number: number
  topic: string
  queueId: number
  min: number
  next: number
  minUnitOffset: number
  firstPageIndex: number
  pages: number[]
}

/** Puts records together to what they say in the end. Throws a `RangeError` for a payload that ends too early. */
export class CheckpointReader {
  readonly #rows = new Map<number, Row>()
  #meta: CheckpointMeta | undefined
  #keyParts: Buffer[] = []

  /** False when the record cannot stand here: the first one must be whole, a change must fit to what is known. */
  add(payload: Buffer): boolean {
    const reader = new ByteReader(payload)
    const kind = reader.u8()
    if (kind !== 1 && (kind !== 2 || this.#meta === undefined)) return false
    const meta = { index: reader.i64(), endOffset: reader.i64(), logStart: reader.i64(), nextQueueNumber: reader.u32() }
    if (kind === 1) {
      this.#rows.clear()
      this.#keyParts = []
    }
    for (let left = reader.u32(); left > 0; left--) this.#rows.delete(reader.u32())
    for (let left = reader.u32(); left > 0; left--) if (!this.#readQueue(reader)) return false
    this.#keyParts.push(reader.rest())
    this.#meta = meta
    return true
  }

  image(): CheckpointImage | undefined {
    return this.#meta === undefined ? undefined : { ...this.#meta, queues: this.#rows, keyParts: this.#keyParts }
  }

  #readQueue(reader: ByteReader): boolean {
    const number = reader.u32()
    let row = this.#rows.get(number)
    if (reader.u8() === 1) {
      const topic = reader.text()
      row = { number, topic, queueId: reader.i32(), min: 0, next: 0, minUnitOffset: 0, firstPageIndex: 0, pages: [] }
      this.#rows.set(number, row)
    }
    if (row === undefined) return false
    row.min = reader.i64()
    row.next = reader.i64()
    row.minUnitOffset = reader.i64()
    const firstPageIndex = reader.u32()
    const namedFrom = reader.u32()
    const count = reader.u32()
    const kept = row.pages.slice(Math.max(0, firstPageIndex - row.firstPageIndex))
    if (count > 0 && firstPageIndex + kept.length !== namedFrom) {
      if (kept.length > 0) return false
      if (namedFrom !== firstPageIndex) return false
    }
    row.firstPageIndex = firstPageIndex
    row.pages = kept
    for (let left = count; left > 0; left--) kept.push(reader.u32())
    return true
  }
}
