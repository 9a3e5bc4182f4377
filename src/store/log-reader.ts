/**
 * Reading the log: from the tail cache at once, else from disk, and then only in whole frames whose checksum, offset and
 * index are right. A record's own checksum covers its body alone, so records too are served out of verified frames; a
 * verified chunk stays for the next reader, which makes it one checksum per frame, not per pull.
 */
import { assert, present } from '../lib/assert.ts'
import { errorCode } from '../lib/errors.ts'
import { frameIndex, frameOffset, frameRecordsStart } from '../message/entry-frame.ts'
import { recordOffset, recordSize } from '../message/record.ts'
import { joinAdjacent } from './arena.ts'
import type { BadRange, BadRanges } from './bad-ranges.ts'
import type { DescriptorPool } from './descriptor-pool.ts'
import type { EntryPoint, EntryPoints } from './entry-points.ts'
import { storeErrors } from './errors.ts'
import type { OpenFile } from './file-system.ts'
import { findFrame, scanFrames } from './frame-scan.ts'
import type { LogOutline } from './log-outline.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { TailCache } from './tail-cache.ts'
import { type VerifiedChunk, type VerifiedChunks, chunkOf, frameHolding } from './verified-chunks.ts'

/** Consecutive entries: whole frames, back to back, over one or more buffers. */
export interface EntryBytes {
  readonly first: number
  readonly last: number
  readonly bytes: readonly Buffer[]
}

/** A record's place in the CommitLog. */
export interface RecordPlace {
  readonly offset: number
  readonly size: number
}

export interface LogReaderNeeds {
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly tail: TailCache
  readonly chunks: VerifiedChunks
  readonly bad: BadRanges
  readonly descriptors: DescriptorPool
  /** Brings a cold segment's points back into memory. */
  readonly loadPoints: (segment: Segment) => Promise<EntryPoints>
  /** Bytes read and verified at a time. */
  readonly chunkBytes: number
  /** Rot was found: it is remembered in `bad` already. */
  readonly onRot: (range: BadRange) => void
}

/** What a reader looks for on disk. */
interface Wanted {
  /** False once it was dropped or cut off. */
  isKept(): boolean
  segment(): Segment | undefined
  /** The point to walk from. */
  point(points: EntryPoints): EntryPoint | undefined
  isIn(chunk: VerifiedChunk): boolean
  isInRange(range: BadRange): boolean
}

export class LogReader {
  readonly #need: LogReaderNeeds
  /** Counts truncations: what was read from disk before one is not believed after it. */
  #generation = 0

  constructor(need: LogReaderNeeds) {
    this.#need = need
  }

  /** The log was cut behind `offset`. */
  truncateAfter(offset: number): void {
    this.#generation++
    this.#need.chunks.truncateAfter(offset)
  }

  /** The log was replaced. */
  clear(): void {
    this.#generation++
    this.#need.chunks.clear()
  }

  /**
   * Entries from `first`, at most up to `last` and about `maxBytes`, at least one. Undefined when any of `first..last`
   * is not kept (any more, or yet). Rejects with `STORE_ROT` when the first one is damaged.
   */
  read(first: number, last: number, maxBytes: number): EntryBytes | undefined | Promise<EntryBytes | undefined> {
    assert(first <= last, 'a range is not empty')
    return this.#readInMemory(first, last, maxBytes) ?? this.#readCold(first, last, maxBytes)
  }

  /**
   * Records by their places, in order: views. A place that is not kept gives undefined. Rejects with `STORE_ROT` when a
   * record's frame is damaged.
   */
  readRecords(places: readonly RecordPlace[]): (Buffer | undefined)[] | Promise<(Buffer | undefined)[]> {
    const records: (Buffer | undefined)[] = []
    for (const place of places) {
      const frame = this.#inMemory(place.offset)
      if (frame !== undefined) records.push(recordIn(frame, place))
      else if (!this.#isKept(place.offset)) records.push(undefined)
      else return this.#readRecordsCold(places, records)
    }
    return records
  }

  /** The frame that holds byte `offset`, if the tail cache or a chunk read lately has it. */
  frameInMemory(offset: number): Buffer | undefined {
    return this.#inMemory(offset)
  }

  /** The whole frame that holds byte `offset`, verified; undefined when it is not kept. */
  async frameAt(offset: number): Promise<Buffer | undefined> {
    const frame = this.#inMemory(offset)
    if (frame !== undefined || !this.#isKept(offset)) return frame
    const chunk = await this.#seek({
      isKept: () => this.#isKept(offset),
      segment: () => this.#need.segments.atOffset(offset),
      point: (points) => points.atOffset(offset),
      isIn: (found) => offset >= found.start && offset < found.end,
      isInRange: (range) => offset >= range.offset && offset < range.end,
    })
    // Undefined: it moved into memory, or out of the log, while the disk was read.
    return chunk === undefined ? this.#inMemory(offset) : frameHolding(chunk, offset)
  }

  /**
   * Verifies frames on disk from `from` on, about a chunk of them, and returns where they end: the scrub's step. Damage is
   * remembered and stepped over. Undefined when the log changed meanwhile, and where the tail cache begins.
   */
  async verify(segment: Segment, from: EntryPoint): Promise<EntryPoint | undefined> {
    const { bad, descriptors } = this.#need
    const generation = this.#generation
    if (from.offset >= this.#diskEnd(segment)) return undefined
    const known = bad.atOffset(from.offset)
    if (known !== undefined) return { offset: known.end, index: known.last + 1 }
    const found = await descriptors.use(segment.start.offset, (file) => this.#load(file, segment, from))
    if (generation !== this.#generation) return undefined
    if (!('frames' in found)) {
      bad.add(found)
      this.#need.onRot(found)
    }
    return { offset: found.end, index: found.last + 1 }
  }

  #readInMemory(first: number, last: number, maxBytes: number): EntryBytes | undefined {
    const { outline, tail, chunks } = this.#need
    if (first <= outline.start.index || last > outline.end.index) return undefined
    if (tail.firstIndex <= first) return gather((index) => tail.frame(index), first, last, maxBytes)
    const chunk = chunks.holdingIndex(first)
    return chunk === undefined ? undefined : gatherFrom(chunk, first, last, maxBytes)
  }

  #readCold(first: number, last: number, maxBytes: number): undefined | Promise<EntryBytes | undefined> {
    const { outline } = this.#need
    const isKept = (): boolean => first > outline.start.index && last <= outline.end.index
    if (!isKept()) return undefined
    const wanted: Wanted = {
      isKept,
      segment: () => this.#need.segments.atIndex(first),
      point: (points) => points.atIndex(first),
      isIn: (chunk) => first >= chunk.first && first <= chunk.last,
      isInRange: (range) => first >= range.first && first <= range.last,
    }
    return this.#seek(wanted).then((chunk) =>
      chunk === undefined ? this.#readInMemory(first, last, maxBytes) : gatherFrom(chunk, first, last, maxBytes),
    )
  }

  async #readRecordsCold(
    places: readonly RecordPlace[],
    done: (Buffer | undefined)[],
  ): Promise<(Buffer | undefined)[]> {
    const records = [...done]
    for (const place of places.slice(done.length)) {
      const frame = await this.frameAt(place.offset)
      records.push(frame === undefined ? undefined : recordIn(frame, place))
    }
    return records
  }

  #isKept(offset: number): boolean {
    const { outline } = this.#need
    return offset >= outline.start.offset && offset < outline.end.offset
  }

  #inMemory(offset: number): Buffer | undefined {
    if (!this.#isKept(offset)) return undefined
    const frame = this.#need.tail.frameAt(offset)
    if (frame !== undefined) return frame
    const chunk = this.#need.chunks.holding(offset)
    return chunk === undefined ? undefined : frameHolding(chunk, offset)
  }

  /**
   * Finds on disk what is wanted. A cut elsewhere in the log takes nothing from who reads what is kept: it is looked for
   * again. Undefined when it is not kept, or in memory by now. Throws `STORE_ROT` when it is damaged.
   */
  async #seek(wanted: Wanted): Promise<VerifiedChunk | undefined> {
    for (;;) {
      const generation = this.#generation
      const found = await this.#walk(wanted)
      if (found !== undefined || generation === this.#generation || !wanted.isKept()) return found
    }
  }

  /**
   * Walks frames on disk, verifying each, from the point before what is wanted to it. Undefined when the log changed
   * meanwhile so that the disk no longer answers.
   */
  async #walk(wanted: Wanted): Promise<VerifiedChunk | undefined> {
    const { bad, chunks, descriptors } = this.#need
    const generation = this.#generation
    const isCurrent = (): boolean => generation === this.#generation && wanted.isKept()
    const segment = wanted.segment()
    if (segment === undefined) return undefined
    try {
      const points = segment.points ?? (await this.#need.loadPoints(segment))
      let at = wanted.point(points) ?? { offset: segment.start.offset, index: segment.start.index + 1 }
      while (isCurrent() && at.offset < this.#diskEnd(segment)) {
        const rot = bad.atOffset(at.offset)
        if (rot !== undefined && wanted.isInRange(rot)) throw rotError(rot)
        if (rot !== undefined) {
          at = { offset: rot.end, index: rot.last + 1 }
          continue
        }
        const from = at
        const found =
          chunks.holding(from.offset) ??
          (await descriptors.use(segment.start.offset, (file) => this.#load(file, segment, from)))
        if (!isCurrent()) return undefined
        if ('frames' in found) {
          chunks.add(found)
          if (wanted.isIn(found)) return found
          at = { offset: found.end, index: found.last + 1 }
        } else {
          bad.add(found)
          this.#need.onRot(found)
        }
      }
      return undefined
    } catch (error) {
      // Retention or a truncation took the file away.
      if (errorCode(error) === 'ENOENT' && !isCurrent()) return undefined
      throw error
    }
  }

  /** Up to here the segment's bytes are on disk: what lies behind is in the tail cache. */
  #diskEnd(segment: Segment): number {
    return Math.min(segment.end.offset, this.#need.tail.firstOffset)
  }

  /** The sound frames from `from` on, as many as a chunk takes; or, when there is none, what is damaged there. */
  async #load(file: OpenFile, segment: Segment, from: EntryPoint): Promise<VerifiedChunk | BadRange> {
    const { bad, chunkBytes } = this.#need
    const base = segment.start.offset
    const next = bad.all.find((range) => range.offset > from.offset)
    const until = Math.min(next?.offset ?? Infinity, this.#diskEnd(segment))
    const frames: Buffer[] = []
    let bytes = 0
    const position = { ...segment.start, offset: from.offset, index: from.index - 1 }
    try {
      await scanFrames({
        file,
        base,
        from: { position, isChained: false },
        until,
        chunkBytes: Math.min(chunkBytes, until - from.offset),
        onFrame(frame) {
          frames.push(frame)
          bytes += frame.length
          return bytes < chunkBytes
        },
      })
    } catch (error) {
      if (errorCode(error) !== 'EIO') throw error
      if (frames.length === 0) return this.#unreadable(segment, from, until)
    }
    const chunk = chunkOf(frames)
    if (chunk !== undefined) return chunk
    const sound = await findFrame(file, base, from.offset + 1, until)
    const end = sound?.offset ?? until
    return { offset: from.offset, end, first: from.index, last: this.#indexBefore(end, sound, next, segment) }
  }

  /** A place that the medium does not give back: damaged up to the next point that is known. */
  #unreadable(segment: Segment, from: EntryPoint, until: number): BadRange {
    const next = segment.points?.after(from.offset)
    if (next !== undefined && next.offset <= until) {
      return { offset: from.offset, end: next.offset, first: from.index, last: next.index - 1 }
    }
    const range = this.#need.bad.all.find((one) => one.offset === until)
    return {
      offset: from.offset,
      end: until,
      first: from.index,
      last: this.#indexBefore(until, undefined, range, segment),
    }
  }

  /** The entry that ends at `end`, where a sound frame, another damaged range, the tail cache or the segment's end is. */
  #indexBefore(end: number, sound: EntryPoint | undefined, next: BadRange | undefined, segment: Segment): number {
    if (sound !== undefined) return sound.index - 1
    if (next?.offset === end) return next.first - 1
    return end === segment.end.offset ? segment.end.index : this.#need.tail.firstIndex - 1
  }
}

function rotError(range: BadRange): Error {
  return storeErrors.create(
    'STORE_ROT',
    `entries ${range.first} to ${range.last} (bytes ${range.offset} to ${range.end} of the CommitLog) are damaged on disk`,
  )
}

/** The record at `place` of a verified frame. What the derived files say of it was checksummed too: else it is a bug. */
function recordIn(frame: Buffer, place: RecordPlace): Buffer {
  const at = place.offset - frameOffset(frame, 0)
  assert(at >= frameRecordsStart(frame, 0), 'a record lies behind the head of its frame')
  assert(at + place.size <= frame.length, 'a record lies within its frame')
  assert(recordSize(frame, at) === place.size, 'a record has the size that was asked for')
  assert(recordOffset(frame, at) === place.offset, 'a record names its own place')
  return frame.subarray(at, at + place.size)
}

function gatherFrom(chunk: VerifiedChunk, first: number, last: number, maxBytes: number): EntryBytes {
  return gather((index) => chunk.frames[index - chunk.first], first, Math.min(last, chunk.last), maxBytes)
}

function gather(
  frameOf: (index: number) => Buffer | undefined,
  first: number,
  last: number,
  maxBytes: number,
): EntryBytes {
  const frames: Buffer[] = []
  let bytes = 0
  let index = first
  for (; index <= last; index++) {
    const frame = present(frameOf(index), 'frame in memory')
    if (index > first && bytes + frame.length > maxBytes) break
    assert(index > first || frameIndex(frame, 0) === first, 'the frame found is the one asked for')
    frames.push(frame)
    bytes += frame.length
  }
  return { first, last: index - 1, bytes: joinAdjacent(frames) }
}
