/**
 * Reading messages through a consume queue (RocketMQ DefaultMessageStore.getMessage): units first, then the records they
 * name. Runs in one go while everything is in memory; waits only for the disk, and looks again at the queue afterwards.
 */
import { frameOffset } from '../message/entry-frame.ts'
import {
  recordFault,
  recordQueueId,
  recordQueueOffset,
  recordSize,
  recordTopicLength,
  recordTopicStart,
} from '../message/record.ts'
import type { ConsumeQueue, UnitRun } from './consume-queue.ts'
import type { FrameSource } from './log-source.ts'
import { UNIT_BYTES, isUnitSound, unitOffset, unitSalt, unitSize, unitTagsCode } from './consume-queue-unit.ts'

export interface PullRequest {
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  readonly maxCount: number
  /** At least one message is given, however large. */
  readonly maxBytes: number
  /** Only messages whose tags hash to one of these; the client looks at the tags themselves. */
  readonly tagsCodes?: ReadonlySet<number>
  /** Only messages whose record this accepts. */
  readonly accept?: (record: Buffer) => boolean
}

/** RocketMQ GetMessageStatus, in the same order of meaning. */
export type PullStatus =
  | 'found'
  | 'noMatched'
  | 'removing'
  | 'offsetFoundNull'
  | 'overflowOne'
  | 'overflowBadly'
  | 'tooSmall'
  | 'noMessageInQueue'
  | 'noSuchQueue'

export interface PullResult {
  readonly status: PullStatus
  /** Whole records in the order of the queue; neighbours in the log share a slice. Views: not to be written to. */
  readonly slices: readonly Buffer[]
  readonly count: number
  readonly bytes: number
  /** Where to go on from. */
  readonly nextQueueOffset: number
  readonly minQueueOffset: number
  /** One above the highest. */
  readonly maxQueueOffset: number
}

/** Where units come from that the queue has not in memory. */
export interface UnitReader {
  /** Sets `run` to units from `queueOffset` on, in one page; a promise when that needs the disk; false when it cannot. */
  find(queue: ConsumeQueue, queueOffset: number, run: UnitRun): boolean | Promise<boolean>
  /** Makes the page that holds `queueOffset` again from the log: it was found damaged. */
  repair(queue: ConsumeQueue, queueOffset: number): Promise<void>
}

/** Units looked at for one pull, at least: RocketMQ's maxFilterMessageSize, 16,000 bytes of 20-byte units. */
const SCAN_UNITS = 800
/** After this many repairs in one pull the queue is given up as unreadable here. */
const REPAIRS_MAX = 2

export class QueuePull {
  readonly #queue: ConsumeQueue
  readonly #request: PullRequest
  readonly #topic: Buffer
  readonly #log: FrameSource
  readonly #units: UnitReader
  readonly #run: UnitRun = { bytes: EMPTY, at: 0, end: 0 }
  readonly #slices: Buffer[] = []
  readonly #scanEnd: number
  #status: PullStatus = 'noMatched'
  #next: number
  #count = 0
  #bytes = 0
  #repairs = 0
  #isDone = false
  /** The frame used last: records of one entry lie in one. */
  #frame: Buffer = EMPTY
  #frameOffset = 0
  /** The last slice may still grow: it ends at this CommitLog offset. */
  #lastEnd = -1

  constructor(need: {
    queue: ConsumeQueue
    topic: Buffer
    log: FrameSource
    units: UnitReader
    request: PullRequest
  }) {
    this.#queue = need.queue
    this.#topic = need.topic
    this.#log = need.log
    this.#units = need.units
    this.#request = need.request
    this.#next = need.request.queueOffset
    this.#scanEnd = need.request.queueOffset + Math.max(SCAN_UNITS, need.request.maxCount)
  }

  run(): PullResult | Promise<PullResult> {
    const wait = this.#advance()
    return wait === undefined ? this.#result() : this.#resume(wait)
  }

  async #resume(first: Promise<unknown>): Promise<PullResult> {
    let wait: Promise<unknown> | undefined = first
    while (wait !== undefined) {
      await wait
      if (this.#queue.isRemoved) return emptyResult('noSuchQueue', 0, 0, 0)
      if (this.#next < this.#queue.min) {
        // Retention went over the place while the disk was waited for.
        if (this.#count > 0) break
        return emptyResult('tooSmall', this.#queue.min, this.#queue.min, this.#queue.next)
      }
      wait = this.#advance()
    }
    return this.#result()
  }

  /** Takes units until the pull is full or the queue ends; a promise when the disk must be waited for. */
  #advance(): Promise<unknown> | undefined {
    const run = this.#run
    const queue = this.#queue
    while (!this.#isDone && this.#next < queue.next && this.#next < this.#scanEnd) {
      if (!queue.findInMemory(this.#next, run)) {
        const found = this.#units.find(queue, this.#next, run)
        if (found instanceof Promise) return found
        if (!found) return this.#repair()
      }
      const wait = this.#takeRun()
      if (wait !== undefined) return wait
    }
    return undefined
  }

  /** Takes the units of one run, or as many as the pull has room for; a promise when the disk must be waited for. */
  #takeRun(): Promise<unknown> | undefined {
    const { bytes, at: from, end } = this.#run
    const { tagsCodes, accept, maxBytes, maxCount } = this.#request
    const queueNumber = this.#queue.number
    for (let at = from; at < end; at += UNIT_BYTES) {
      if (this.#next >= this.#scanEnd || this.#next >= this.#queue.next) return undefined
      if (!isUnitSound(bytes, at, unitSalt(queueNumber, this.#next))) return this.#repair()
      const size = unitSize(bytes, at)
      if (this.#count > 0 && (this.#count >= maxCount || this.#bytes + size > maxBytes)) {
        this.#isDone = true
        return undefined
      }
      if (tagsCodes !== undefined && !tagsCodes.has(unitTagsCode(bytes, at))) {
        this.#next++
        continue
      }
      const offset = unitOffset(bytes, at)
      const record = this.#record(offset, size)
      if (record === undefined) return this.#readFrame(offset)
      if (!this.#isNamed(record, size)) return this.#repair()
      this.#next++
      if (accept !== undefined && !accept(record)) continue
      this.#add(record, offset, size)
    }
    return undefined
  }

  #add(record: Buffer, offset: number, size: number): void {
    const last = this.#slices.length - 1
    const previous = this.#slices[last]
    if (previous !== undefined && offset === this.#lastEnd && isBehind(previous, record)) {
      this.#slices[last] = joined(previous, record)
    } else {
      this.#slices.push(record)
    }
    this.#lastEnd = offset + size
    this.#count++
    this.#bytes += size
    this.#status = 'found'
  }

  /** The record, if its frame is the one used last or in memory. */
  #record(offset: number, size: number): Buffer | undefined {
    let at = offset - this.#frameOffset
    if (at < 0 || at >= this.#frame.length) {
      const frame = this.#log.frameInMemory(offset)
      if (frame === undefined) return undefined
      this.#useFrame(frame)
      at = offset - this.#frameOffset
    }
    return this.#frame.subarray(at, at + size)
  }

  async #readFrame(offset: number): Promise<void> {
    const frame = await this.#log.frameAt(offset)
    if (frame !== undefined) return this.#useFrame(frame)
    // The record left the log; the queue's minimum follows. RocketMQ: MESSAGE_WAS_REMOVING, and on with the next.
    if (this.#count === 0) this.#status = 'removing'
    this.#next++
  }

  #useFrame(frame: Buffer): void {
    this.#frame = frame
    this.#frameOffset = frameOffset(frame, 0)
  }

  /** Whether the bytes are the record that the unit names: this queue, this place. */
  #isNamed(record: Buffer, size: number): boolean {
    if (record.length !== size || recordFault(record, 0, size) !== undefined || recordSize(record, 0) !== size)
      return false
    if (recordQueueId(record, 0) !== this.#queue.queueId || recordQueueOffset(record, 0) !== this.#next) return false
    const topicStart = recordTopicStart(record, 0)
    const topicLength = recordTopicLength(record, 0)
    if (topicLength !== this.#topic.length) return false
    for (let i = 0; i < topicLength; i++) if (record[topicStart + i] !== this.#topic[i]) return false
    return true
  }

  #repair(): Promise<unknown> | undefined {
    if (++this.#repairs > REPAIRS_MAX) {
      if (this.#count === 0) this.#status = 'offsetFoundNull'
      this.#isDone = true
      return undefined
    }
    return this.#units.repair(this.#queue, this.#next)
  }

  #result(): PullResult {
    return {
      status: this.#status,
      slices: this.#slices,
      count: this.#count,
      bytes: this.#bytes,
      nextQueueOffset: this.#next,
      minQueueOffset: this.#queue.min,
      maxQueueOffset: this.#queue.next,
    }
  }
}

/** A result without messages. */
export function emptyResult(status: PullStatus, next: number, min: number, max: number): PullResult {
  return { status, slices: [], count: 0, bytes: 0, nextQueueOffset: next, minQueueOffset: min, maxQueueOffset: max }
}

const EMPTY = Buffer.alloc(0)

function isBehind(previous: Buffer, record: Buffer): boolean {
  return previous.buffer === record.buffer && previous.byteOffset + previous.length === record.byteOffset
}

function joined(previous: Buffer, record: Buffer): Buffer {
  return Buffer.from(previous.buffer, previous.byteOffset, previous.length + record.length)
}
