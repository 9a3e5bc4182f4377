/** Acknowledgements before the commit stay within their bounds, whatever happens in whatever order. */
import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { modeCommands } from '../../../src/broker/group/group-mode.ts'
import type { Draft } from '../../../src/broker/log/proposal-flight.ts'
import { Proposals } from '../../../src/broker/log/proposals.ts'
import { QueueCounters } from '../../../src/broker/log/queue-counters.ts'
import { recordLength, type RecordDraft } from '../../../src/message/record.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { draft } from '../../message/drafts.ts'

const MAX_BYTES = 2_000
const MAX_MS = 500

function record(bytes: number): RecordDraft {
  return draft({ topic: 'a', queueId: 0, body: Buffer.alloc(bytes), properties: Buffer.alloc(0) })
}

/** One send: where it lies in the log, and what its sender was told. */
interface Sent {
  readonly bytes: number
  readonly isEarly: boolean
  index: number
  acknowledged: boolean
}

/** Proposals over a log that does what a test says, and a list of everything sent. */
class World {
  readonly clock = new ManualClock()
  readonly proposals: Proposals
  readonly sent: Sent[] = []
  readonly leadership = { isReady: true, term: 1 }
  mode: 'sync' | 'async' = 'sync'
  lastIndex = 0
  commit = 0
  stable = 0
  /** When each entry was proposed. */
  readonly proposedMs = new Map<number, number>()
  readonly #terms = new Map<number, number>()
  readonly #byRecord = new Map<RecordDraft, Sent>()

  constructor() {
    this.proposals = new Proposals({
      log: {
        propose: (draft: Draft) => {
          this.lastIndex++
          this.proposedMs.set(this.lastIndex, this.clock.monotonicMs())
          this.#terms.set(this.lastIndex, this.leadership.term)
          for (const one of draft.entry.records) {
            const sent = this.#byRecord.get(one)
            if (sent !== undefined) sent.index = this.lastIndex
          }
          draft.placed = { offsets: draft.entry.records.map(() => 0), timestampMs: 1 }
          return { index: this.lastIndex, term: this.leadership.term }
        },
        proposeRefusal: () => (this.leadership.isReady ? undefined : 'notLeader'),
        flush: () => {},
      },
      leadership: this.leadership,
      counters: new QueueCounters({ nextQueueOffset: () => 0 }),
      replication: () => this.mode,
      mayBegin: () => true,
      proposing: () => {},
      commandVersion: () => 2,
      clock: this.clock,
      options: {
        maxInFlightBytes: 100_000,
        maxEntryBytes: 4_000,
        decideWithinMs: 2_500,
        queueWaitMs: 1_000,
        maxUnreplicatedBytes: MAX_BYTES,
        maxUnreplicatedMs: MAX_MS,
      },
    })
  }

  send(bytes: number, isEarly: boolean): void {
    const draft = record(bytes)
    const sent: Sent = { bytes: recordLength(draft), isEarly, index: 0, acknowledged: false }
    this.#byRecord.set(draft, sent)
    this.sent.push(sent)
    const done = (error: Error | undefined): void => {
      if (error !== undefined) return
      sent.acknowledged = true
      if (sent.index <= this.commit) return
      // At the moment of an early acknowledgement, not only between steps.
      expect(this.mode === 'async' || sent.isEarly).toBe(true)
      expect(sent.index).toBeLessThanOrEqual(this.stable)
      expect(this.unreplicated()).toBeLessThanOrEqual(MAX_BYTES)
      expect(this.clock.monotonicMs() - (this.proposedMs.get(this.commit + 1) ?? 0)).toBeLessThanOrEqual(MAX_MS)
    }
    this.proposals.records([draft], done, isEarly)
  }

  unreplicated(): number {
    return this.sent
      .filter((one) => one.acknowledged && one.index > this.commit)
      .reduce((sum, one) => sum + one.bytes, 0)
  }

  sync(count: number): void {
    this.stable = Math.min(this.lastIndex, this.stable + count)
    this.proposals.stable(this.stable)
  }

  commitNext(count: number): void {
    for (let left = count; left > 0 && this.commit < this.lastIndex; left--) {
      this.commit++
      const term = this.#terms.get(this.commit) ?? 0
      this.proposals.applied({ index: this.commit, term }, undefined)
    }
    this.proposals.stable(this.stable)
  }

  /** Another leader for a while: what it had is committed, then this node leads again. */
  leave(): void {
    this.leadership.isReady = false
    this.proposals.roleChanged()
    this.clock.turn()
    this.proposals.stable(this.stable)
    this.commitNext(this.lastIndex)
    this.leadership.term += 2
    this.leadership.isReady = true
    this.proposals.roleChanged()
  }
}

type Step =
  | readonly ['send', number, boolean]
  | readonly ['sync' | 'commit' | 'wait', number]
  | readonly ['mode', 'sync' | 'async']
  | readonly ['leave']

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(fc.constant('send' as const), fc.integer({ min: 0, max: 1_200 }), fc.boolean()) },
  { weight: 4, arbitrary: fc.tuple(fc.constant('sync' as const), fc.integer({ min: 1, max: 4 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('commit' as const), fc.integer({ min: 1, max: 3 })) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('wait' as const), fc.integer({ min: 1, max: 400 })) },
  { weight: 1, arbitrary: fc.tuple(fc.constant('mode' as const), fc.constantFrom('sync' as const, 'async' as const)) },
  { weight: 1, arbitrary: fc.constant(['leave'] as const) },
)

describe('acknowledgements before the commit', () => {
  test.prop([fc.array(step, { maxLength: 80 })], { numRuns: 400 })(
    'what is acknowledged and not committed never exceeds its bounds, in any mode, across changes of mode and leader',
    (steps) => {
      const world = new World()
      for (const each of steps) {
        if (each[0] === 'send') world.send(each[1], each[2])
        else if (each[0] === 'sync') world.sync(each[1])
        else if (each[0] === 'commit') world.commitNext(each[1])
        else if (each[0] === 'wait') world.clock.advance(each[1])
        else if (each[0] === 'mode') world.mode = each[1]
        else world.leave()
        world.clock.turn()
        expect(world.proposals.unreplicatedBytes).toBe(world.unreplicated())
        expect(world.unreplicated()).toBeLessThanOrEqual(MAX_BYTES)
      }
      world.commitNext(world.lastIndex)
      expect(world.proposals.unreplicatedBytes).toBe(0)
      world.proposals.close()
    },
  )

  test('with no follower left it stops at the bound, and goes on once what it had is committed', () => {
    const world = new World()
    world.mode = 'async'
    for (let at = 0; at < 10; at++) {
      world.send(500, false)
      world.clock.turn()
      world.sync(1)
    }
    const held = world.sent.filter(({ acknowledged }) => acknowledged)
    expect(held.length).toBeGreaterThan(0)
    expect(held.length).toBeLessThan(10)
    world.commitNext(10)
    expect(world.sent.every(({ acknowledged }) => acknowledged)).toBe(true)
  })

  test('a message whose producer does not wait is acknowledged when the leader has written it, one beside it is not', () => {
    const world = new World()
    world.send(10, true)
    world.send(10, false)
    world.clock.turn()
    expect(world.sent.map(({ acknowledged }) => acknowledged)).toEqual([false, false])
    world.sync(1)
    expect(world.sent.map(({ acknowledged }) => acknowledged)).toEqual([true, false])
    world.commitNext(1)
    expect(world.sent.map(({ acknowledged }) => acknowledged)).toEqual([true, true])
  })

  test('commands wait for their commit whatever the mode says', async () => {
    const world = new World()
    world.mode = 'async'
    let isDone = false
    const done = world.proposals.command(modeCommands.set({ replication: 'sync' })).then(() => (isDone = true))
    world.clock.turn()
    world.sync(1)
    await Promise.resolve()
    expect(isDone).toBe(false)
    world.commitNext(1)
    await done
  })
})
