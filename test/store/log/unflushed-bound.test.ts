/** In async flush, what is called stable and is not on the medium stays within `maxUnflushedBytes` and `maxUnflushedMs`. */
import { fc, test } from '@fast-check/vitest'
import { expect } from 'vitest'
import { type Deferred, deferred } from '../../../src/lib/deferred.ts'
import { GroupCommit } from '../../../src/store/group-commit.ts'
import { LOG_ORIGIN, type LogPosition } from '../../../src/store/log-position.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const MAX_BYTES = 1_000
const MAX_MS = 100

/** A disk that writes at once and syncs when it is told to. */
class World {
  readonly clock = new ManualClock()
  readonly commit: GroupCommit
  readonly failures: string[] = []
  #syncs: { readonly end: number; readonly done: Deferred<void> }[] = []
  #written = 0
  #flushed = 0
  #index = 0
  #end = 0
  #mode: 'sync' | 'async' = 'async'
  /** Where each write ends, and when it was done. */
  #writes: { readonly end: number; readonly atMs: number }[] = []

  constructor() {
    this.commit = new GroupCommit(
      {
        target: {
          write: (buffers, offset) => {
            this.#wrote(buffers, offset)
            return Promise.resolve()
          },
          writeDurable: async (buffers, offset) => {
            this.#wrote(buffers, offset)
            await this.#sync()
          },
          sync: () => this.#sync(),
          roll: () => Promise.resolve(),
          truncate: () => Promise.resolve(),
        },
        clock: this.clock,
        options: { mode: 'async', maxUnflushedBytes: MAX_BYTES, maxUnflushedMs: MAX_MS, retryMs: 10 },
        onFlushed: () => {},
        onWritten: () => {},
        onDiskFull: () => {},
        onFailed: (error) => this.failures.push(error.message),
      },
      LOG_ORIGIN,
    )
  }

  #wrote(buffers: readonly Buffer[], offset: number): void {
    this.#written = offset + buffers.reduce((sum, { length }) => sum + length, 0)
    this.#writes.push({ end: this.#written, atMs: this.clock.monotonicMs() })
  }

  #sync(): Promise<void> {
    const sync = { end: this.#written, done: deferred<void>() }
    this.#syncs.push(sync)
    return sync.done.promise
  }

  finishSync(): void {
    const sync = this.#syncs.shift()
    if (sync === undefined) return
    this.#flushed = Math.max(this.#flushed, sync.end)
    sync.done.resolve()
  }

  get isSyncing(): boolean {
    return this.#syncs.length > 0
  }

  setMode(mode: 'sync' | 'async'): void {
    this.#mode = mode
    this.commit.setMode(mode)
  }

  append(bytes: number): void {
    this.#index++
    this.#end += bytes
    const end: LogPosition = { ...LOG_ORIGIN, offset: this.#end, index: this.#index, term: 1 }
    this.commit.write(Buffer.alloc(bytes), end)
    const until = this.#end
    void this.commit.stable().then(() => {
      expect(this.#written).toBeGreaterThanOrEqual(until)
      if (this.#flushed >= until) return
      if (this.#mode === 'sync') return
      const unflushed = this.#writes.filter(({ end: at }) => at > this.#flushed)
      if (until - this.#flushed > MAX_BYTES) this.failures.push(`${until - this.#flushed} bytes are not flushed`)
      const ageMs = this.clock.monotonicMs() - (unflushed[0]?.atMs ?? Infinity)
      if (ageMs > MAX_MS) this.failures.push(`not flushed for ${ageMs} ms`)
    })
  }

  async settle(): Promise<void> {
    for (let round = 0; round < 20; round++) await Promise.resolve()
  }
}

type Step = ['append' | 'wait', number] | ['sync' | 'durable' | 'lazy', 0]

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('append' as const), fc.integer({ min: 1, max: 700 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('wait' as const), fc.integer({ min: 1, max: 80 })) },
  { weight: 3, arbitrary: fc.tuple(fc.constant('sync' as const), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('durable' as const), fc.constant(0)) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('lazy' as const), fc.constant(0)) },
)

/** A flush that begins while a sync that nobody asked for is under way, and another one is about to begin. */
const FLUSH_MEETS_A_SYNC: Step[] = [
  ['append', 1],
  ['wait', 50],
  ['append', 108],
  ['append', 392],
]

/** The timer of async mode goes off in sync mode, beside the sync that makes up for what was not flushed. */
const SYNC_MODE_MEETS_THE_TIMER: Step[] = [
  ['append', 288],
  ['append', 33],
  ['append', 179],
  ['wait', 40],
  ['append', 1],
  ['durable', 0],
]

test.prop([fc.array(step, { maxLength: 60 })], {
  numRuns: 300,
  examples: [[FLUSH_MEETS_A_SYNC], [SYNC_MODE_MEETS_THE_TIMER]],
})(
  'however slow the disk is, and however the mode changes, nothing stable stands beyond the bounds on unflushed bytes',
  async (steps) => {
    const world = new World()
    for (const [kind, amount] of steps) {
      if (kind === 'append') world.append(amount)
      else if (kind === 'wait') world.clock.advance(amount)
      else if (kind === 'sync') world.finishSync()
      else world.setMode(kind === 'durable' ? 'sync' : 'async')
      await world.settle()
    }
    expect(world.failures).toEqual([])
    // A disk that works again lets everything become stable.
    const last = world.commit.flush()
    const state = { isDone: false }
    void last.then(() => (state.isDone = true))
    for (let round = 0; round < 200 && !state.isDone; round++) {
      world.finishSync()
      world.clock.advance(5)
      await world.settle()
    }
    expect(state.isDone).toBe(true)
    expect(world.isSyncing).toBe(false)
    world.commit.close()
  },
)
