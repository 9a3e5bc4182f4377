/**
 * Reads cold segments again and again, slowly, to find rot while a peer can still bring the bytes. A bounded rate; what is
 * being written is left alone.
 */
import { type Clock, sleep } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'
import type { EntryPoint } from './entry-points.ts'
import type { LogReader } from './log-reader.ts'
import type { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'

export interface ScrubOptions {
  /** 0: no scrub. */
  readonly scrubBytesPerSecond: number
  /** Rest between two rounds. */
  readonly scrubPauseMs: number
}

export interface ScrubNeeds {
  readonly segments: SegmentList
  readonly reader: LogReader
  readonly clock: Clock
  readonly options: ScrubOptions
  /** The disk did not answer a read. */
  readonly onFailed: (error: Error) => void
}

export class Scrub {
  readonly #need: ScrubNeeds
  readonly #stopped = new AbortController()
  #work: Promise<void> | undefined
  #rounds = 0
  #verifiedBytes = 0

  constructor(need: ScrubNeeds) {
    this.#need = need
  }

  /** Rounds that came to their end. */
  get rounds(): number {
    return this.#rounds
  }

  get verifiedBytes(): number {
    return this.#verifiedBytes
  }

  start(): void {
    if (this.#need.options.scrubBytesPerSecond <= 0 || this.#work !== undefined) return
    this.#work = this.#run().catch((error: unknown) => {
      if (!this.#stopped.signal.aborted) this.#need.onFailed(error instanceof Error ? error : new Error(String(error)))
    })
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    await this.#work
  }

  async #run(): Promise<void> {
    const { clock, options, segments } = this.#need
    for (;;) {
      await sleep(clock, options.scrubPauseMs, this.#stopped.signal)
      for (const segment of segments.all.slice(0, -1)) await this.#segment(segment)
      this.#rounds++
    }
  }

  async #segment(segment: Segment): Promise<void> {
    const { clock, options, reader, segments } = this.#need
    let at: EntryPoint | undefined = { offset: segment.start.offset, index: segment.start.index + 1 }
    while (at !== undefined && at.offset < segment.end.offset && segments.all.includes(segment)) {
      const next: EntryPoint | undefined = await this.#verify(reader, segment, at)
      const bytes: number = next === undefined ? 0 : next.offset - at.offset
      this.#verifiedBytes += bytes
      at = next
      await sleep(clock, (bytes * 1000) / options.scrubBytesPerSecond, this.#stopped.signal)
    }
  }

  async #verify(reader: LogReader, segment: Segment, at: EntryPoint): Promise<EntryPoint | undefined> {
    try {
      return await reader.verify(segment, at)
    } catch (error) {
      // Dropped, or no descriptor to spare: the next round looks again.
      const code = errorCode(error)
      if (code === 'ENOENT' || code === 'EMFILE' || code === 'ENFILE') return undefined
      throw error
    }
  }
}
