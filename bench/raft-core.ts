/**
 * What Raft costs by itself: three replicas (core and driver) in one process over ports that do nothing. Every turn the
 * leader proposes some entries; processor time is that of all three nodes together, until the entry is committed on the leader.
 */
import type { Clock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { seededRandom } from '../src/lib/prng.ts'
import { raftConfig } from '../src/raft/config.ts'
import type { EntryBytes, Envelope, LogStore, StableStore } from '../src/raft/ports.ts'
import { Replica } from '../src/raft/replica.ts'
import { emptyHardState } from '../src/raft/types.ts'
import type { MicroFigure } from './micro-figure.ts'

const ENTRIES = 20_000
const WARM_UPS = 2
const ids = ['n0', 'n1', 'n2']
const payload = [Buffer.alloc(4096)]
const done = Promise.resolve()

/** Turns of an event loop, without waiting for anything. */
class Loop {
  #now: (() => void)[] = []
  readonly clock: Clock = {
    nowMs: () => 0,
    monotonicMs: () => performance.now(),
    after: (_delayMs, run) => {
      this.#now.push(run)
      return { cancel() {} }
    },
    every: () => ({ cancel() {} }),
    endOfTurn: (run) => {
      this.#now.push(run)
    },
  }

  post(run: () => void): void {
    this.#now.push(run)
  }

  async turn(): Promise<boolean> {
    const runs = this.#now
    this.#now = []
    for (const run of runs) run()
    for (let hop = 0; hop < 4; hop++) await done
    return this.#now.length > 0
  }
}

function store(): LogStore<number> & StableStore {
  return {
    load: () => emptyHardState,
    save: () => done,
    state: () => ({ start: { index: 0, term: 0 }, runs: [], memberships: [] }),
    append() {},
    appendEmpty() {},
    appendMembership() {},
    appendFrames() {},
    truncateAfter: () => true,
    stable: () => done,
    setDurable() {},
    durableIndex: () => Infinity,
    read: (first, last): EntryBytes => ({ first, last, bytes: payload }),
    byteLength: (first, last) => (last - first + 1) * 4096,
    openReset: () => Promise.reject(new Error('no resets here')),
    applyReset: () => Promise.reject(new Error('no resets here')),
  }
}

async function group(): Promise<{ loop: Loop; leader: Replica<number>; committed: () => number }> {
  const loop = new Loop()
  const replicas = new Map<string, Replica<number>>()
  const committed = { index: 0 }
  for (const [at, id] of ids.entries()) {
    const disk = store()
    const send = (to: string, envelope: Envelope): void => loop.post(() => replicas.get(to)?.receive(id, envelope))
    replicas.set(
      id,
      new Replica<number>({
        id,
        config: raftConfig({ maxUncommittedBytes: 2 ** 40 }),
        peers: { voters: ids, outgoing: [], learners: [] },
        store: disk,
        stableStore: disk,
        transport: { send },
        clock: loop.clock,
        random: seededRandom(at + 1),
        events: {
          committed: (index) => {
            if (id === 'n0') committed.index = index
          },
          roleChanged() {},
          truncated() {},
          reset() {},
          fatal: (error) => {
            throw error
          },
        },
        log: silentLog,
      }),
    )
  }
  const leader = replicas.get('n0')
  if (leader === undefined) throw new Error('there is a first node')
  for (const replica of [...replicas.values()].toReversed()) replica.start()
  while (leader.status().role !== 'leader' || committed.index === 0) await loop.turn()
  return { loop, leader, committed: () => committed.index }
}

/** Nanoseconds of processor time for an entry, by entries proposed in a turn. */
export async function benchRaftCore(need: { readonly samples: number }): Promise<readonly MicroFigure[]> {
  const figures: MicroFigure[] = []
  for (const perTurn of [1, 8, 32]) {
    const { loop, leader, committed } = await group()
    const values: number[] = []
    for (let sample = -WARM_UPS; sample < need.samples; sample++) {
      const turns = Math.ceil(ENTRIES / perTurn)
      const started = process.cpuUsage()
      let last = 0
      for (let turn = 0; turn < turns; turn++) {
        for (let each = 0; each < perTurn; each++) last = leader.propose(each)?.index ?? last
        await loop.turn()
      }
      while (committed() < last) await loop.turn()
      const { user, system } = process.cpuUsage(started)
      if (sample >= 0) values.push(((user + system) * 1000) / (turns * perTurn))
    }
    figures.push({ name: `raft: an entry, three replicas, ${perTurn} a turn`, nanoseconds: values })
  }
  return figures
}
