/** The driver's own promises: what it refuses, and how it ends. */
import { expect, test } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { silentLog } from '../../src/lib/log.ts'
import { seededRandom } from '../../src/lib/prng.ts'
import { raftConfig, watchTimes, type RaftConfig } from '../../src/raft/config.ts'
import type { Envelope, ReplicaEvents } from '../../src/raft/ports.ts'
import { Replica } from '../../src/raft/replica.ts'
import type { Membership } from '../../src/raft/types.ts'
import { calmDisk, Disk } from '../../sim/core/disk.ts'
import { OpenDisk } from '../../sim/core/open-disk.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** Of all disks here: their entries name memberships by their place in it. */
const memberships: Membership[] = []

interface Lone {
  readonly replica: Replica<number>
  readonly clock: ManualClock
  readonly events: string[]
  readonly sent: Envelope[]
  /** Lets the disk do what it has to do. */
  readonly sync: () => Promise<void>
}

function lone(voters: readonly string[] = ['n0'], config: Partial<RaftConfig> = {}, disk = new Disk(0)): Lone {
  const clock = new ManualClock()
  const events: string[] = []
  const sent: Envelope[] = []
  let io: (() => void)[] = []
  const open = new OpenDisk(
    disk,
    {
      random: seededRandom(1),
      later: (_delayMs, done) => io.push(done),
      digestAt: () => 0,
      memberships,
      refused() {},
      wrote() {},
    },
    () => calmDisk,
  )
  const told: ReplicaEvents = {
    committed: (index) => events.push(`committed ${index}`),
    roleChanged: (state) => events.push(`${state.role} ${state.term}`),
    truncated: (index) => events.push(`truncated ${index}`),
    stable: (index) => events.push(`stable ${index}`),
    reset: (state) => events.push(`reset ${state.start.index}`),
    fatal: (error) => events.push(`fatal ${error.message}`),
  }
  const replica = new Replica<number>({
    id: 'n0',
    config: raftConfig(config),
    peers: { voters, outgoing: [], learners: [] },
    store: open,
    stableStore: open,
    transport: { send: (_to, envelope) => sent.push(envelope) },
    clock,
    random: seededRandom(2),
    events: told,
    log: silentLog,
  })
  const settle = async (): Promise<void> => {
    for (let round = 0; round < 10; round++) {
      await Promise.resolve()
      clock.turn()
    }
  }
  const sync = async (): Promise<void> => {
    await settle()
    while (io.length > 0) {
      const due = io
      io = []
      for (const done of due) done()
      await settle()
    }
  }
  return { replica, clock, events, sent, sync }
}

const codeOf = async (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: unknown) => errorCode(error),
  )

test('the owner hears of role, stable and commit in that order, never from within its own call', async () => {
  const { replica, events, sync } = lone()
  replica.start()
  expect(events).toEqual([])
  await sync()
  expect(events).toEqual(['candidate 1', 'leader 1', 'stable 1', 'committed 1'])
  expect(replica.propose(7)).toEqual({ index: 2, term: 1 })
  expect(events).toHaveLength(4)
  await sync()
  expect(events.slice(4)).toEqual(['stable 2', 'committed 2'])
})

test('a cluster id is known once the first entry is committed, and is the same after a restart', async () => {
  const disk = new Disk(0)
  const first = lone(['n0'], {}, disk)
  first.replica.start()
  expect(first.replica.clusterId).toBeNull()
  await first.sync()
  const { clusterId } = first.replica
  expect(clusterId).toMatch(/^[0-9a-f]{32}$/)
  await first.replica.stop()
  const again = lone(['n0'], {}, disk)
  expect(again.replica.clusterId).toBe(clusterId)
})

test('a log of another cluster than the hard state beside it is refused', async () => {
  const disk = new Disk(0)
  const first = lone(['n0'], {}, disk)
  first.replica.start()
  await first.sync()
  disk.endSave({ ...disk.hard, clusterId: 'another' })
  expect(() => lone(['n0'], {}, disk)).toThrow('the hard state to another')
})

test('proposals beyond the uncommitted window are refused as busy, and taken again after the commit', async () => {
  const { replica, sync } = lone(['n0'], { maxUncommittedEntries: 3 })
  replica.start()
  await sync()
  for (let each = 0; each < 3; each++) expect(replica.propose(each)).toBeDefined()
  expect(replica.propose(3)).toBeUndefined()
  expect(replica.proposeRefusal()).toBe('busy')
  await sync()
  expect(replica.proposeRefusal()).toBeUndefined()
})

test('the uncommitted window counts bytes, too', async () => {
  const { replica, sync } = lone(['n0'], { maxUncommittedBytes: 64, maxAppendBytes: 32, maxInflightBytes: 64 })
  replica.start()
  await sync()
  replica.propose(1)
  replica.propose(2)
  expect(replica.proposeRefusal()).toBe('busy')
})

test('who does not lead refuses proposals, reads and transfers with a code', async () => {
  const { replica } = lone(['n0', 'n1', 'n2'])
  replica.start()
  expect(replica.proposeRefusal()).toBe('notLeader')
  expect(replica.propose(1)).toBeUndefined()
  expect(await codeOf(replica.readIndex())).toBe('RAFT_NOT_LEADER')
  expect(await codeOf(replica.transferLeadership('n1'))).toBe('RAFT_NOT_LEADER')
})

test('leadership goes to another voter only', async () => {
  const { replica, sync } = lone()
  replica.start()
  await sync()
  expect(await codeOf(replica.transferLeadership('n0'))).toBe('RAFT_BAD_TARGET')
  expect(await codeOf(replica.transferLeadership('stranger'))).toBe('RAFT_BAD_TARGET')
})

test('reads beyond the limit are refused, and all that wait are told when the node stops', async () => {
  const { replica, sync } = lone(['n0'], { maxReadWaiters: 2 })
  replica.start()
  await sync()
  const waiting = [codeOf(replica.readIndex()), codeOf(replica.readIndex())]
  expect(await codeOf(replica.readIndex())).toBe('RAFT_BUSY')
  await replica.stop()
  expect(await Promise.all(waiting)).toEqual(['RAFT_STOPPED', 'RAFT_STOPPED'])
  expect(await codeOf(replica.readIndex())).toBe('RAFT_STOPPED')
})

test('what was proposed leaves with flush, without another turn', async () => {
  const { replica, events, sync } = lone()
  replica.start()
  await sync()
  replica.propose(1)
  replica.flush()
  expect(replica.status()).toMatchObject({ role: 'leader', lastIndex: 2, commitIndex: 1, stableIndex: 1 })
  await sync()
  expect(events.at(-1)).toBe('committed 2')
})

test('a full disk ends leadership without a successor, and room brings it back', async () => {
  const { replica, clock, sync } = lone()
  replica.start()
  await sync()
  replica.setFitness({ diskFull: true })
  expect(replica.proposeRefusal()).toBe('notLeader')
  clock.advance(5000)
  await sync()
  expect(replica.status().role).toBe('follower')
  replica.setFitness({ diskFull: false })
  clock.advance(1100)
  await sync()
  expect(replica.status().role).toBe('leader')
})

test('stop waits until the disk is done with what was asked of it', async () => {
  const { replica, sync } = lone()
  replica.start()
  await sync()
  replica.propose(1)
  replica.flush()
  let stopped = false
  const stop = replica.stop().then(() => (stopped = true))
  await Promise.resolve()
  await Promise.resolve()
  expect(stopped).toBe(false)
  await sync()
  await stop
  expect(stopped).toBe(true)
})

test('time is looked at as seldom as the other times allow', () => {
  const times = { heartbeatMs: 100, electionTimeoutMinMs: 500, electionTimeoutMaxMs: 1_000 }
  for (const [change, tickMs, stallMs] of [
    [{}, 50, 200],
    [{ heartbeatMs: 250 }, 50, 200],
    [{ heartbeatMs: 10 }, 5, 200],
    [{ electionTimeoutMaxMs: 520 }, 10, 200],
    [{ heartbeatMs: 10, electionTimeoutMinMs: 20, electionTimeoutMaxMs: 21 }, 0.5, 10],
  ] as const) {
    const all = { ...times, ...change }
    expect(raftConfig({ ...all, ...watchTimes(all) })).toMatchObject({ tickMs, stallMs })
  }
})

test('options that cannot work are refused with the rule they break', () => {
  expect(() => raftConfig({ heartbeatMs: 400 })).toThrow('electionTimeoutMinMs must be at least twice heartbeatMs')
  expect(() => raftConfig({ electionTimeoutMaxMs: 500 })).toThrow('electionTimeoutMaxMs')
  expect(() => raftConfig({ tickMs: 150 })).toThrow('tickMs')
  expect(() => raftConfig({ stallMs: 10 })).toThrow('stallMs must be above tickMs')
  expect(() => raftConfig({ stallMs: 600 })).toThrow('stallMs must be below electionTimeoutMinMs')
  expect(() => raftConfig({ maxInflightBytes: 10 })).toThrow('maxInflightBytes')
  expect(() => raftConfig({ maxUncommittedBytes: 10 })).toThrow('maxUncommittedBytes')
  expect(() => raftConfig({ maxReadWaiters: 0 })).toThrow('maxReadWaiters must be a number above 0')
  expect(raftConfig({ heartbeatMs: 50 })).toMatchObject({ heartbeatMs: 50, electionTimeoutMinMs: 500 })
})
