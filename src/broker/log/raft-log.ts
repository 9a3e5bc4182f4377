/** The CommitLog as Raft's log store: memberships become bytes, drafts learn where their records lie. */
import { pack, unpack } from 'msgpackr'
import { assert } from '../../lib/assert.ts'
import { withoutEmpty } from '../../raft/memberships.ts'
import type { LogState, LogStore, ResetMeta, ResetSource } from '../../raft/ports.ts'
import type { Membership, MembershipEntry } from '../../raft/types.ts'
import type { CommitLog } from '../../store/commit-log.ts'
import type { Draft } from './proposal-flight.ts'

/** What the log alone does not do: how a state travels to a follower that is behind the log's start, and takes the place of what it had. */
export interface RaftLogPorts {
  setDurable(this: void, durable: boolean): void
  open(): Promise<ResetSource>
  apply(meta: ResetMeta, chunks: AsyncIterable<Uint8Array>): Promise<void>
}

export function raftLog(log: CommitLog, ports: RaftLogPorts): LogStore<Draft> {
  const state = (): LogState => {
    const { start, runs, memberships } = log.state()
    return {
      start: { index: start.index, term: start.term },
      runs,
      memberships: memberships.map(({ index, bytes }) => ({ index, membership: decodeMembership(bytes) })),
    }
  }
  return {
    state,
    append(id, draft) {
      draft.placed = log.append(id, draft.entry)
    },
    appendEmpty: (id) => log.appendEmpty(id),
    appendMembership: (id, membership) => log.appendMembership(id, encodeMembership(membership)),
    appendFrames: (entries, runs) => log.appendFrames(entries, runs),
    truncateAfter: (index) => log.truncateAfter(index),
    stable: () => log.stable(),
    setDurable: ports.setDurable,
    durableIndex: () => log.durableIndex,
    read: (first, last, maxBytes) => log.read(first, last, maxBytes),
    byteLength: (first, last) => log.byteLength(first, last),
    openReset: () => ports.open(),
    async applyReset(meta, chunks) {
      await ports.apply(meta, chunks)
      return state()
    },
  }
}

export function encodeMembership(membership: Membership): Buffer {
  const { voters, outgoing, learners, clusterId, learnersNext = [], removed = [], places = {} } = membership
  return pack([voters, outgoing, learners, clusterId ?? null, learnersNext, removed, Object.entries(places)])
}

/** A membership of the log; its bytes passed the frame's checksum, so a bad shape is our bug. */
export function decodeMembership(bytes: Uint8Array): Membership {
  const fields: unknown = unpack(bytes)
  assert(Array.isArray(fields), 'a membership is an array')
  const [voters, outgoing, learners, clusterId, learnersNext, removed, places] = fields as unknown[]
  assert(isIds(voters) && isIds(outgoing) && isIds(learners), 'a membership names nodes')
  assert(isIds(learnersNext) && isIds(removed) && isPairs(places), 'a membership names nodes and their places')
  const named = typeof clusterId === 'string' ? { clusterId } : {}
  return withoutEmpty({
    voters,
    outgoing,
    learners,
    learnersNext,
    removed,
    places: Object.fromEntries(places),
    ...named,
  })
}

export function membershipEntry(index: number, bytes: Uint8Array): MembershipEntry {
  return { index, membership: decodeMembership(bytes) }
}

function isPairs(value: unknown): value is (readonly [string, string])[] {
  return Array.isArray(value) && value.every((pair) => isIds(pair) && pair.length === 2)
}

function isIds(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((id) => typeof id === 'string')
}
