/** A CommitLog in memory: what the derived store is made from. Everything appended is committed. */
import {
  FrameKind,
  entryLength,
  frameIndex,
  frameLength,
  frameOffset,
  writeEntry,
  writePlainEntry,
} from '../../../src/message/entry-frame.ts'
import type { RecordDraft } from '../../../src/message/record.ts'
import type { LogSource } from '../../../src/store/log-source.ts'

export class MemoryLog implements LogSource {
  frames: Buffer[] = []
  endOffset = 0
  startOffset = 0
  startIndex = 0
  timestampMs = 1_000_000
  /** Frames below this offset are only on disk: they come with a promise. */
  coldBelow = 0
  flushed = 0

  /** Appends an entry and returns its frame. */
  append(records: readonly RecordDraft[], queueOffsets: readonly number[], command?: Buffer): Buffer {
    const draft = { records, queueOffsets, command }
    const frame = Buffer.alloc(entryLength(draft))
    writeEntry(draft, frame, 0, frame.length, this.#place())
    return this.#push(frame)
  }

  appendEmpty(): Buffer {
    const frame = Buffer.alloc(56)
    writePlainEntry(FrameKind.empty, undefined, frame, 0, this.#place())
    return this.#push(frame)
  }

  get lastIndex(): number {
    return this.startIndex + this.frames.length
  }

  frame(index: number): Buffer | undefined {
    return this.frames[index - this.startIndex - 1]
  }

  frameInMemory(offset: number): Buffer | undefined {
    return offset < this.coldBelow ? undefined : this.#find(offset)
  }

  async frameAt(offset: number): Promise<Buffer | undefined> {
    await Promise.resolve()
    return this.#find(offset)
  }

  async flushedThrough(offset: number): Promise<void> {
    await Promise.resolve()
    this.flushed = Math.max(this.flushed, offset)
  }

  /** Drops what lies before the frame that holds `offset`. */
  dropBefore(offset: number): void {
    let dropped = 0
    for (const frame of this.frames) {
      if (frameOffset(frame, 0) + frame.length > offset) break
      dropped++
    }
    const last = this.frames[dropped - 1]
    if (last === undefined) return
    this.startIndex = frameIndex(last, 0)
    this.startOffset = frameOffset(last, 0) + frameLength(last, 0)
    this.frames = this.frames.slice(dropped)
  }

  #find(offset: number): Buffer | undefined {
    let low = 0
    let high = this.frames.length - 1
    while (low <= high) {
      const middle = (low + high) >> 1
      const frame = this.frames[middle]
      if (frame === undefined) return undefined
      if (offset < frameOffset(frame, 0)) high = middle - 1
      else if (offset >= frameOffset(frame, 0) + frame.length) low = middle + 1
      else return frame
    }
    return undefined
  }

  #push(frame: Buffer): Buffer {
    this.frames.push(frame)
    this.endOffset += frame.length
    return frame
  }

  #place() {
    const { timestampMs, endOffset: offset } = this
    return { index: this.lastIndex + 1, term: 1, offset, timestampMs, previousCrc: 0, endsSegment: false }
  }
}
