import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { modeCommands } from '../../../src/broker/group/group-mode.ts'
import type { Draft } from '../../../src/broker/log/proposal-flight.ts'
import { Proposals } from '../../../src/broker/log/proposals.ts'
import { QueueCounters } from '../../../src/broker/log/queue-counters.ts'
import type { RecordDraft } from '../../../src/message/record.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { draft } from '../../message/drafts.ts'

function record(topic: string, queueId = 0, bytes = 10): RecordDraft {
  return draft({ topic, queueId, body: Buffer.alloc(bytes), properties: Buffer.alloc(0) })
}

interface Setup {
  readonly clock: ManualClock
  readonly proposals: Proposals
  readonly log: {
    entries: Draft[]
    /** Tables of commands whose proposal was told before. */
    proposing: string[]
    refusal: 'notLeader' | 'transferring' | 'busy' | undefined
    term: number
  }
  readonly leadership: { isReady: boolean; term: number }
  readonly heard: string[]
  readonly send: (topic: string, count?: number, bytes?: number) => void
  mode: 'sync' | 'async'
}

function setup(options: Partial<ConstructorParameters<typeof Proposals>[0]['options']> = {}): Setup {
  const clock = new ManualClock()
  const log: Setup['log'] = { entries: [], proposing: [], refusal: undefined, term: 3 }
  const leadership = { isReady: true, term: 3 }
  const heard: string[] = []
  const made: Setup = {
    clock,
    log,
    leadership,
    heard,
    mode: 'sync',
    send: (topic, count = 1, bytes = 10) => {
      const drafts = Array.from({ length: count }, () => record(topic, 0, bytes))
      proposals.records(drafts, (error, stored) => {
        heard.push(
          error === undefined
            ? `stored ${stored?.map((one) => one.queueOffset).join()}`
            : String(Object(error)['code']),
        )
      })
    },
    get proposals() {
      return proposals
    },
  }
  const proposals = new Proposals({
    log: {
      propose(draft) {
        log.entries.push(draft)
        draft.placed = { offsets: draft.entry.records.map((_, at) => at * 100), timestampMs: 1 }
        return { index: log.entries.length, term: log.term }
      },
      proposeRefusal: () => log.refusal,
      flush: () => {},
    },
    leadership,
    counters: new QueueCounters({ nextQueueOffset: () => 0 }),
    replication: () => made.mode,
    mayBegin: () => true,
    proposing: (command) => log.proposing.push(command.table),
    commandVersion: () => 2,
    clock,
    options: {
      maxInFlightBytes: 100_000,
      maxEntryBytes: 10_000,
      queueWaitMs: 200,
      decideWithinMs: 2500,
      maxUnreplicatedBytes: 1_000,
      maxUnreplicatedMs: 1_000,
      ...options,
    },
  })
  return made
}

/** What the garbage collector would take is taken now. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
}

describe('proposals', () => {
  test('a send that waits for its fate holds no message in memory beside the log', async () => {
    const { proposals, clock, log } = setup()
    const send = (): WeakRef<RecordDraft> => {
      const draft = record('a')
      proposals.records([draft], () => {})
      return new WeakRef(draft)
    }
    const sent = send()
    clock.turn()
    expect(log.entries).toHaveLength(1)
    log.entries = []
    await new Promise(setImmediate)
    collectGarbage()
    expect(sent.deref()).toBeUndefined()
  })

  test('what arrives in one turn leaves as one entry, and each queue counts on', () => {
    const { send, clock, log, proposals, heard } = setup()
    send('a')
    send('b')
    send('a', 2)
    expect(log.entries).toHaveLength(0)
    clock.turn()
    expect(log.entries.map((draft) => draft.entry.queueOffsets)).toEqual([[0, 0, 1, 2]])
    expect(heard).toEqual([])
    proposals.applied({ index: 1, term: 3 }, undefined)
    expect(heard).toEqual(['stored 0', 'stored 0', 'stored 1,2'])
    expect(proposals.inFlightBytes).toBe(0)
  })

  test('what another leader cut off is undecided as soon as this node is ready to lead again', () => {
    const { send, clock, log, leadership, proposals, heard } = setup()
    for (const topic of ['a', 'b', 'c']) {
      send(topic)
      clock.turn()
    }
    // Deposed; the next leader cuts its last two entries off and is gone before it commits any in their place.
    leadership.isReady = false
    proposals.roleChanged()
    log.entries.length = 1
    proposals.applied({ index: 1, term: 3 }, undefined)
    leadership.isReady = true
    leadership.term = log.term = 5
    proposals.roleChanged()
    expect(heard).toEqual(['stored 0', 'BROKER_UNDECIDED', 'BROKER_UNDECIDED'])
    send('d')
    clock.turn()
    proposals.applied({ index: 2, term: 5 }, undefined)
    expect(heard.slice(3)).toEqual(['stored 0'])
    expect(proposals.inFlightBytes).toBe(0)
  })

  test('what another leader cut off takes no room in the log of a node that leads again', () => {
    const { send, clock, log, leadership, proposals, heard } = setup({
      queueWaitMs: 200,
      maxEntryBytes: 1_000_000,
      maxInFlightBytes: 10_000_000,
    })
    for (let at = 0; at < 4; at++) {
      send('a', 1, 100_000)
      clock.turn()
    }
    expect(log.entries).toHaveLength(4)
    // Nobody else has it, nobody confirms it: the log is behind, and its end is cut off by the next leader.
    clock.advance(400)
    leadership.isReady = false
    proposals.roleChanged()
    log.entries.length = 1
    leadership.term = log.term = 6
    leadership.isReady = true
    proposals.roleChanged()
    clock.advance(400)
    send('b')
    clock.turn()
    expect(log.entries).toHaveLength(2)
    proposals.applied({ index: 2, term: 6 }, undefined)
    expect(heard.at(-1)).toBe('stored 0')
  })

  test('an entry keeps to its limit of bytes', () => {
    const { send, clock, log } = setup()
    for (let at = 0; at < 5; at++) send('a', 1, 4_000)
    clock.turn()
    expect(log.entries.map((draft) => draft.entry.records.length)).toEqual([2, 2, 1])
  })

  test('a command stands in an entry of its own, in order with the records around it', async () => {
    const { send, clock, log, proposals } = setup()
    send('a')
    const made = proposals.command({ table: 't', op: 'o', args: [1] })
    send('a')
    clock.turn()
    expect(log.entries.map((draft) => [draft.entry.records.length, draft.entry.command !== undefined])).toEqual([
      [1, false],
      [0, true],
      [1, false],
    ])
    proposals.applied({ index: 2, term: 3 }, 'result')
    await expect(made).resolves.toBe('result')
  })

  test('of two changes of the mode the second waits until what became of the first is known', async () => {
    const { proposals, clock, log, heard } = setup()
    const first = proposals.command(modeCommands.set({ flush: 'sync' }))
    await expect(proposals.command(modeCommands.set({ flush: 'async' }))).rejects.toThrow('under way')
    clock.turn()
    expect(log.proposing).toEqual(['mode'])
    // Answered as undecided, it may still be in the log.
    const undecided = first.catch(() => heard.push('undecided'))
    clock.advance(2600)
    await undecided
    await expect(proposals.command(modeCommands.set({ flush: 'async' }))).rejects.toThrow('under way')
    proposals.applied({ index: 1, term: 3 }, undefined)
    const second = proposals.command(modeCommands.set({ flush: 'async' }))
    clock.turn()
    proposals.applied({ index: 2, term: 3 }, undefined)
    await second
    expect(heard).toEqual(['undecided'])
  })

  test('a change of the mode that was never proposed is no longer under way', async () => {
    const { proposals, clock, leadership } = setup()
    const first = proposals.command(modeCommands.set({ flush: 'sync' }))
    leadership.isReady = false
    proposals.roleChanged()
    clock.turn()
    await expect(first).rejects.toThrow('leadership moved')
    leadership.isReady = true
    const second = proposals.command(modeCommands.set({ flush: 'sync' }))
    clock.turn()
    proposals.applied({ index: 1, term: 3 }, undefined)
    await second
  })

  test('admission is bounded in bytes: more is answered busy and never queued', () => {
    const { send, heard, clock, log } = setup({ maxInFlightBytes: 500 })
    for (let at = 0; at < 10; at++) send('a', 1, 100)
    expect(heard.filter((code) => code === 'BROKER_BUSY')).toHaveLength(8)
    clock.turn()
    expect(log.entries[0]?.entry.records).toHaveLength(2)
  })

  test('a node that does not lead refuses at once, and one that lost leadership before proposing says not stored', () => {
    const { send, heard, leadership, clock, proposals, log } = setup()
    send('a')
    leadership.isReady = false
    proposals.roleChanged()
    clock.turn()
    send('a')
    expect(heard).toEqual(['BROKER_NOT_LEADER', 'BROKER_NOT_LEADER'])
    expect(() => proposals.checkRoom(0)).toThrow(expect.objectContaining({ code: 'BROKER_NOT_LEADER' }))
    expect(log.entries).toEqual([])
  })

  test('while leadership is being transferred requests wait, and go to whoever leads then', () => {
    const { send, heard, clock, proposals, log, leadership } = setup()
    log.refusal = 'transferring'
    send('a')
    clock.turn()
    expect(heard).toEqual([])
    leadership.isReady = false
    proposals.roleChanged()
    clock.turn()
    expect(heard).toEqual(['BROKER_NOT_LEADER'])
  })

  test('an entry that another leader overwrote was certainly not stored', () => {
    const { send, heard, clock, proposals, leadership } = setup()
    send('a')
    clock.turn()
    leadership.isReady = false
    proposals.roleChanged()
    expect(heard).toEqual([])
    proposals.applied({ index: 1, term: 4 }, undefined)
    expect(heard).toEqual(['BROKER_NOT_LEADER'])
  })

  test('an entry of a deposed leader that the next one commits was stored', () => {
    const { send, heard, clock, proposals, leadership } = setup()
    send('a')
    clock.turn()
    leadership.isReady = false
    proposals.roleChanged()
    proposals.applied({ index: 1, term: 3 }, undefined)
    expect(heard).toEqual(['stored 0'])
  })

  test('without a quorum a proposed request is undecided after 2.5 s, one that was never proposed is busy', () => {
    const { send, heard, clock, log, proposals } = setup()
    send('a')
    clock.turn()
    log.refusal = 'busy'
    send('b')
    clock.advance(70)
    expect(heard).toEqual([])
    clock.advance(30)
    expect(heard).toEqual(['BROKER_BUSY'])
    clock.advance(2_350)
    expect(heard).toEqual(['BROKER_BUSY'])
    clock.advance(100)
    expect(heard).toEqual(['BROKER_BUSY', 'BROKER_UNDECIDED'])
    // The bytes of an undecided entry are still in the log, and still count.
    expect(proposals.inFlightBytes).toBeGreaterThan(0)
    proposals.applied({ index: 1, term: 3 }, undefined)
    expect(proposals.inFlightBytes).toBe(0)
    expect(heard).toHaveLength(2)
  })

  test('once something waited too long in the log, more than it drains is refused at the door, and commands are not', async () => {
    const { send, heard, clock, log, proposals } = setup({ maxInFlightBytes: 10_000_000, maxEntryBytes: 1_000_000 })
    send('a', 1, 500_000)
    clock.advance(350)
    proposals.applied({ index: 1, term: 3 }, undefined)
    expect(heard).toEqual(['stored 0'])
    // 500,000 bytes in 350 ms: that is what 300 ms in the log and 50 ms before it allow.
    for (let at = 0; at < 10; at++) send('a', 1, 100_000)
    expect(heard.filter((code) => code === 'BROKER_BUSY')).toHaveLength(6)
    expect(() => proposals.checkRoom(100_000)).toThrow(expect.objectContaining({ code: 'BROKER_BUSY' }))
    proposals.checkRoom(10_000)
    const command = proposals.command({ table: 't', op: 'o', args: [1] })
    clock.turn()
    clock.advance(100)
    for (let index = 2; index <= log.entries.length; index++) {
      proposals.applied({ index, term: 3 }, 'result')
      clock.turn()
    }
    await expect(command).resolves.toBe('result')
    expect(heard.filter((code) => code.startsWith('stored'))).toHaveLength(5)
  })

  test('what waits for a log that takes nothing hears that it is busy within 100 ms, and what comes then at once', () => {
    const { send, heard, clock, log } = setup({ maxInFlightBytes: 100_000_000, maxEntryBytes: 4_000_000 })
    for (let at = 0; at < 3; at++) send('a', 1, 1_100_000)
    clock.advance(70)
    expect(log.entries).toHaveLength(1)
    expect(heard).toEqual([])
    clock.advance(30)
    expect(heard).toEqual(['BROKER_BUSY', 'BROKER_BUSY'])
    send('a')
    expect(heard).toHaveLength(3)
  })

  test('who waits while this process stands still is looked at only after what ended meanwhile was read', () => {
    const { send, heard, clock, log, proposals } = setup({ maxInFlightBytes: 100_000_000, maxEntryBytes: 4_000_000 })
    for (let at = 0; at < 3; at++) send('a', 1, 1_100_000)
    clock.turn()
    clock.stall(250)
    expect(heard).toEqual([])
    for (let index = 1; index <= log.entries.length; index++) {
      proposals.applied({ index, term: 3 }, undefined)
      clock.turn()
    }
    clock.advance(20)
    expect(heard).toEqual(['stored 0', 'stored 1', 'stored 2'])
  })

  test('a record of any size finds its way into a log with nothing before it', () => {
    const { send, heard, clock, log, proposals } = setup({ maxInFlightBytes: 100_000_000 })
    send('a', 1, 4_000_000)
    send('a', 1, 4_000_000)
    clock.turn()
    expect(log.entries).toHaveLength(1)
    proposals.applied({ index: 1, term: 3 }, undefined)
    clock.turn()
    proposals.applied({ index: 2, term: 3 }, undefined)
    expect(heard).toEqual(['stored 0', 'stored 1'])
  })

  test('a log that changes hands is not taken for one that is behind', () => {
    const { send, heard, clock, log, proposals } = setup({ maxInFlightBytes: 10_000_000 })
    send('a', 1, 1_000)
    clock.advance(20)
    log.refusal = 'transferring'
    clock.advance(600)
    proposals.applied({ index: 1, term: 3 }, undefined)
    for (let at = 0; at < 100; at++) send('a', 1, 5_000)
    clock.advance(400)
    expect(heard).toEqual(['stored 0'])
    log.refusal = undefined
    clock.advance(50)
    for (let index = 2; index <= log.entries.length; index++) proposals.applied({ index, term: 3 }, undefined)
    expect(heard).toHaveLength(101)
    expect(heard.every((what) => what.startsWith('stored'))).toBe(true)
  })

  test('records for a topic whose deletion is in flight are refused until it is done', async () => {
    const { send, heard, clock, proposals } = setup()
    const deletion = proposals.command({ table: 'topics', op: 'delete', args: ['a'] })
    send('a')
    send('b')
    expect(heard).toEqual(['BROKER_BUSY'])
    clock.turn()
    proposals.applied({ index: 1, term: 3 }, undefined)
    await deletion
    send('a')
    expect(heard).toEqual(['BROKER_BUSY'])
  })

  test('async replication acknowledges what is stable here, commands only after their commit', async () => {
    const made = setup({ maxUnreplicatedBytes: 10_000 })
    const { send, heard, clock, proposals } = made
    made.mode = 'async'
    const command = proposals.command({ table: 't', op: 'o', args: [] })
    let decided = false
    void command.then(() => (decided = true))
    send('a')
    clock.turn()
    proposals.stable(2)
    await Promise.resolve()
    expect([heard, decided]).toEqual([['stored 0'], false])
    proposals.applied({ index: 1, term: 3 }, undefined)
    await expect(command).resolves.toBeUndefined()
  })

  test("async replication does not take another leader's stable entry for its own", () => {
    const made = setup({ maxUnreplicatedBytes: 10_000 })
    const { send, heard, clock, proposals, leadership } = made
    made.mode = 'async'
    send('a')
    clock.turn()
    leadership.isReady = false
    proposals.stable(1)
    leadership.isReady = true
    leadership.term = 5
    proposals.stable(1)
    expect(heard).toEqual([])
  })

  test('async replication never acknowledges more than its bound of bytes or time unreplicated', () => {
    const made = setup({ maxUnreplicatedBytes: 1_000 })
    const { send, heard, clock, proposals } = made
    made.mode = 'async'
    send('a', 1, 600)
    clock.turn()
    proposals.stable(1)
    send('a', 1, 600)
    clock.turn()
    proposals.stable(2)
    expect(heard).toEqual(['stored 0'])
    proposals.applied({ index: 1, term: 3 }, undefined)
    proposals.stable(2)
    expect(heard).toEqual(['stored 0', 'stored 1'])
    clock.advance(1_100)
    send('a')
    clock.turn()
    proposals.stable(3)
    expect(heard).toHaveLength(2)
  })

  test('wake the process only while something waits', () => {
    const { send, heard, clock, proposals } = setup()
    expect(clock.armed).toBe(0)
    send('a')
    clock.advance(100)
    expect(clock.armed).toBe(1)
    proposals.applied({ index: 1, term: 3 }, undefined)
    clock.advance(100)
    expect([heard, clock.armed]).toEqual([['stored 0'], 0])
    send('b')
    clock.advance(2_600)
    expect(heard).toEqual(['stored 0', 'BROKER_UNDECIDED'])
  })

  test('a node that stops tells every waiter', () => {
    const { send, heard, clock, proposals } = setup()
    send('a')
    clock.turn()
    send('b')
    proposals.close()
    expect(heard.toSorted()).toEqual(['BROKER_NOT_LEADER', 'BROKER_UNDECIDED'])
  })
})
