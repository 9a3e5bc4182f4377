/**
 * The one writer of the log. What is appended goes into a queue; one flush is in flight at a time and takes everything
 * that is queued with it; what arrives meanwhile rides the next (RocketMQ GroupCommitService; Raft thesis §10.2.1).
 *
 * Order is that of the calls (FIFO): a write queued behind a truncation is done behind it, so an acknowledgement never
 * overtakes a truncation.
 *
 *     mode    a write is stable when
 *     sync    it is on the medium: one durable write (O_DSYNC), or fdatasync where more than it must become durable
 *     async   write(2) returned; fdatasync follows in the background, and once `maxUnflushedBytes` or `maxUnflushedMs`
 *             are reached, `stable` waits for it
 *
 * A lack of room (or of descriptors) is waited out, everything else ends the log for good: after a failed write or sync
 * nobody knows what is on disk.
 */
import { assert } from '../lib/assert.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { type Deferred, deferred } from '../lib/deferred.ts'
import { joinAdjacent } from './arena.ts'
import type { CommitTarget } from './commit-target.ts'
import { asFailure, storeErrors } from './errors.ts'
import { LackOfRoom } from './lack-of-room.ts'
import type { LogPosition } from './log-position.ts'

export type FlushMode = 'sync' | 'async'

export interface GroupCommitOptions {
  readonly mode: FlushMode
  readonly maxUnflushedBytes: number
  readonly maxUnflushedMs: number
  /** How often a write is tried again while the disk is full. */
  readonly retryMs: number
}

export interface GroupCommitNeeds {
  readonly target: CommitTarget
  readonly clock: Clock
  readonly options: GroupCommitOptions
  /** More is durable now, or, after a truncation, less. */
  readonly onFlushed: (position: LogPosition) => void
  /** More is written now: memory may be let go. */
  readonly onWritten: (position: LogPosition) => void
  /** The disk is full (true) or has room again (false). */
  readonly onDiskFull: (full: boolean) => void
  /** The log can no longer be believed: the node ends. Also told when nobody waits for `stable`. */
  readonly onFailed: (error: Error) => void
}

type Step =
  | { readonly kind: 'write'; readonly offset: number; readonly buffers: Buffer[]; end: LogPosition }
  | { readonly kind: 'roll'; readonly start: LogPosition }
  | { readonly kind: 'truncate'; readonly to: LogPosition }

export class GroupCommit {
  readonly #need: GroupCommitNeeds
  #mode: FlushMode
  #steps: Step[] = []
  #waiters: Deferred<void>[] = []
  #pendingBytes = 0
  #running = false
  #written: LogPosition
  #flushed: LogPosition
  /** When the oldest write that is not flushed was done; undefined when all is flushed. */
  #unflushedSinceMs: number | undefined
  #background: Promise<void> | undefined
  #timer: Timer | undefined
  /** Where queued truncations cut: what is flushed behind it is about to go. */
  #cuts: LogPosition[] = []
  #isChangingFiles = false
  #failed: Error | undefined
  readonly #closing = new AbortController()
  readonly #room: LackOfRoom

  constructor(need: GroupCommitNeeds, end: LogPosition) {
    this.#need = need
    this.#mode = need.options.mode
    const { clock, options, onDiskFull } = need
    this.#room = new LackOfRoom({ clock, retryMs: options.retryMs, onDiskFull, signal: this.#closing.signal })
    this.#written = end
    this.#flushed = end
  }

  /** What write(2) has taken. */
  get written(): LogPosition {
    return this.#written
  }

  /** What is durable. */
  get flushed(): LogPosition {
    return this.#flushed
  }

  /** Bytes that wait for the disk. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Whether a truncation is queued: what is flushed may be about to go. */
  get isTruncating(): boolean {
    return this.#cuts.length > 0
  }

  /** The last entry that is durable and in no queued truncation's way. */
  get durableIndex(): number {
    let { index } = this.#flushed
    for (const cut of this.#cuts) index = Math.min(index, cut.index)
    return index
  }

  get isDiskFull(): boolean {
    return this.#room.isLacking
  }

  /** Going to sync, what is written and not durable begins to be so at once; `stable` waits for it. */
  setMode(mode: FlushMode): void {
    if (mode === this.#mode) return
    this.#mode = mode
    if (!this.#running && this.#background === undefined) this.#syncByMode()
  }

  /** Queues one frame, which lies right behind all that was queued before. */
  write(frame: Buffer, end: LogPosition): void {
    this.#pendingBytes += frame.length
    const last = this.#steps.at(-1)
    if (last?.kind === 'write') {
      last.buffers.push(frame)
      last.end = end
    } else {
      this.#steps.push({ kind: 'write', offset: end.offset - frame.length, buffers: [frame], end })
    }
  }

  roll(start: LogPosition): void {
    this.#steps.push({ kind: 'roll', start })
  }

  truncate(to: LogPosition): void {
    this.#cuts.push(to)
    this.#steps.push({ kind: 'truncate', to })
  }

  /** Resolves when all that was queued before is stable in the sense of the mode. */
  stable(): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    if (this.#closing.signal.aborted) return Promise.reject(storeErrors.create('STORE_CLOSED', 'the log is closed'))
    const isDone = this.#mode === 'sync' ? this.#written.offset === this.#flushed.offset : this.#unflushedShare() < 1
    if (!this.#running && this.#steps.length === 0 && isDone) return Promise.resolve()
    const waiter = deferred<void>()
    this.#waiters.push(waiter)
    this.#start()
    return waiter.promise
  }

  /** As `stable` in sync mode, whatever the mode. */
  async flush(): Promise<void> {
    await this.stable()
    const { offset } = this.#written
    while (this.#failed === undefined && this.#flushed.offset < Math.min(offset, this.#written.offset)) {
      // While files change hands no sync begins; that ends with all being flushed, or with the log.
      if (this.#isChangingFiles) await this.stable()
      else await (this.#background ?? this.#syncInBackground())
    }
    if (this.#failed !== undefined) throw this.#failed
  }

  /** The log was replaced by one that is empty and begins at `start`. Precondition: nothing is queued or in flight. */
  reset(start: LogPosition): void {
    assert(
      !this.#running && this.#steps.length === 0 && this.#background === undefined,
      'a reset finds the writer idle',
    )
    this.#written = start
    this.#allFlushed(start)
  }

  /** Ends the waiting of everything that is not stable. The caller has flushed what it wants kept. */
  close(): void {
    this.#closing.abort()
    this.#timer?.cancel()
  }

  #start(): void {
    if (this.#running) return
    this.#running = true
    this.#run().catch((error: unknown) => this.#fail(error))
  }

  async #run(): Promise<void> {
    while ((this.#steps.length > 0 || this.#waiters.length > 0) && this.#failed === undefined) {
      const steps = this.#steps
      const waiters = this.#waiters
      this.#steps = []
      this.#waiters = []
      try {
        for (const step of steps) await this.#perform(step)
        if (this.#mode === 'sync') await this.#flushWritten()
        else await this.#keepBounds()
      } catch (error) {
        this.#waiters = [...waiters, ...this.#waiters]
        throw error
      }
      for (const waiter of waiters) waiter.resolve()
    }
    // In the same turn as the look at the queue: whoever is woken just now may queue more.
    this.#running = false
  }

  async #perform(step: Step): Promise<void> {
    const { target, clock, onWritten, onFlushed } = this.#need
    switch (step.kind) {
      case 'write': {
        const buffers = joinAdjacent(step.buffers)
        // A durable write vouches for itself alone: what was written before must be durable already.
        const isDurable = this.#mode === 'sync' && this.#flushed.offset === this.#written.offset
        if (isDurable) await this.#room.waitedOut(() => target.writeDurable(buffers, step.offset))
        else await this.#room.waitedOut(() => target.write(buffers, step.offset))
        this.#pendingBytes -= step.end.offset - step.offset
        this.#written = step.end
        if (isDurable) this.#allFlushed(step.end)
        else this.#unflushedSinceMs ??= clock.monotonicMs()
        onWritten(step.end)
        if (isDurable) onFlushed(step.end)
        return
      }
      case 'roll':
        await this.#changeFiles(() => target.roll(step.start))
        this.#allFlushed(step.start)
        onFlushed(step.start)
        return
      case 'truncate':
        await this.#changeFiles(() => target.truncate(step.to))
        this.#cuts.shift()
        this.#written = step.to
        this.#allFlushed(step.to)
        onFlushed(step.to)
    }
  }

  /** The files change hands: no sync may be in flight on the old ones, and none begin. */
  async #changeFiles(change: () => Promise<void>): Promise<void> {
    this.#isChangingFiles = true
    await this.#settled()
    await this.#room.waitedOut(change)
    this.#isChangingFiles = false
  }

  /** Waits until all that is written is flushed. Nothing is written meanwhile: only who asks this writes. */
  async #flushWritten(): Promise<void> {
    while (this.#flushed.offset !== this.#written.offset) {
      await (this.#background ?? this.#syncInBackground())
      if (this.#failed !== undefined) throw this.#failed
    }
  }

  #allFlushed(position: LogPosition): void {
    this.#flushed = position
    this.#unflushedSinceMs = undefined
  }

  /* Async mode. */

  async #keepBounds(): Promise<void> {
    while (this.#unflushedShare() >= 1) {
      await (this.#background ?? this.#syncInBackground())
      if (this.#failed !== undefined) throw this.#failed
    }
    this.#schedule()
  }

  /** How much of the nearer bound is used up by what is written and not flushed; 1 when it is reached. */
  #unflushedShare(): number {
    const { options, clock } = this.#need
    if (this.#unflushedSinceMs === undefined) return 0
    const bytes = (this.#written.offset - this.#flushed.offset) / options.maxUnflushedBytes
    const age = (clock.monotonicMs() - this.#unflushedSinceMs) / options.maxUnflushedMs
    return Math.max(bytes, age)
  }

  /** What is written and not flushed: in sync mode it begins to be so at once, in async mode in time. */
  #syncByMode(): void {
    if (this.#failed !== undefined || this.#closing.signal.aborted) return
    if (this.#mode === 'async') this.#schedule()
    else if (this.#flushed.offset !== this.#written.offset && !this.#isChangingFiles) void this.#syncInBackground()
  }

  /** Starts the fdatasync well before a bound is reached, so that nobody need wait for it. */
  #schedule(): void {
    if (this.#unflushedSinceMs === undefined || this.#background !== undefined || this.#isChangingFiles) return
    if (this.#unflushedShare() >= 0.5) {
      void this.#syncInBackground()
      return
    }
    this.#timer ??= this.#need.clock.after(this.#need.options.maxUnflushedMs / 2, () => {
      this.#timer = undefined
      // In sync mode whoever writes sees to it: a sync beside another one could end first and tell an older place.
      if (this.#background === undefined && this.#mode === 'async') this.#syncByMode()
    })
  }

  /** Waits for a background sync, if there is one. */
  async #settled(): Promise<void> {
    if (this.#background !== undefined) await this.#background
    if (this.#failed !== undefined) throw this.#failed
  }

  /** Never rejects: a failure ends the log through `onFailed`, and whoever waits looks at `#failed`. */
  #syncInBackground(): Promise<void> {
    assert(this.#background === undefined, 'one background sync at a time')
    const position = this.#written
    const startedMs = this.#need.clock.monotonicMs()
    const work = this.#need.target.sync().then(
      () => {
        this.#background = undefined
        this.#flushed = position
        // What was written meanwhile is younger than this sync's start.
        this.#unflushedSinceMs = this.#written.offset === position.offset ? undefined : startedMs
        this.#need.onFlushed(position)
        // A run that is under way sees to what is left by itself.
        if (!this.#running) this.#syncByMode()
        else if (this.#mode === 'async') this.#schedule()
      },
      (error: unknown) => {
        this.#background = undefined
        this.#fail(error)
      },
    )
    this.#background = work
    return work
  }

  /* Trouble. */

  /** A sync and the run beside it may fail each by itself: the first error is the log's, and nobody waits behind it. */
  #fail(thrown: unknown): void {
    const isFirst = this.#failed === undefined
    const closed = this.#closing.signal.aborted
    const error = this.#failed ?? (closed ? storeErrors.create('STORE_CLOSED', 'the log is closed') : asFailure(thrown))
    this.#failed = error
    this.#running = false
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) waiter.reject(error)
    if (isFirst && !closed) this.#need.onFailed(error)
  }
}
