/** What only the node itself knows of itself, for its runtime information (28); `raftmq status` reads the `raftmq.*` keys. */
import { frameTimestampMs } from '../../message/entry-frame.ts'
import type { Role } from '../../raft/types.ts'
import type { Leadership } from '../group/leadership.ts'
import type { NodeCore } from '../node/node-core.ts'
import type { NodeState } from '../node/node-state.ts'
import type { NodeTables } from '../node/node-tables.ts'
import type { BrokerOptions } from '../options/options.ts'
import type { BrokerParts } from '../running-broker.ts'
import type { NodeRuntime } from './runtime-table.ts'

export interface NodeRuntimeNeeds {
  readonly options: BrokerOptions
  readonly parts: BrokerParts
  readonly state: NodeState
  readonly tables: NodeTables
  readonly core: NodeCore
  readonly leadership: Leadership
  readonly bootTimestampMs: number
}

export async function nodeRuntime(need: NodeRuntimeNeeds): Promise<NodeRuntime> {
  const { state, parts, bootTimestampMs } = need
  const { log, store, folder } = state
  const bytesOnDisk = await state.bytesOnDisk()
  const { totalBytes, freeBytes } = await folder.fileSystem.space(folder.path)
  return {
    bootTimestampMs,
    nowMs: parts.clock.nowMs(),
    commitLogMinOffset: Math.max(log.start.offset, store.logStart),
    commitLogMaxOffset: log.end.offset,
    flushedOffset: log.flushed.offset,
    dispatchedOffset: store.endOffset,
    earliestMessageTimestampMs: await earliestTime(log),
    diskTotalBytes: totalBytes,
    diskFreeBytes: freeBytes,
    more: raftRows(need, bytesOnDisk),
  }
}

/** `raftmq.followers` is JSON: what a leader knows of every other member; empty on any other node. */
function raftRows(need: NodeRuntimeNeeds, bytesOnDisk: number): Record<string, string> {
  const { options, parts, state, tables, core } = need
  const mode = tables.mode.current
  const { log } = state
  const replica = core.replica.status()
  const followers = Object.entries(replica.progress).map(([id, follower]) => ({
    id,
    matchIndex: follower.match,
    lagEntries: follower.lagEntries,
    lagBytes: follower.lagEntries === 0 ? 0 : log.byteLength(follower.match + 1, replica.lastIndex),
    lastContactMs: Math.round(follower.lastContactMs),
    state: follower.filled ? follower.state : 'filling',
  }))
  const rows: Record<string, string | number> = {
    nodeId: options.nodeId,
    pid: parts.pid,
    role: roleText(need, replica.role),
    term: replica.term,
    leader: replica.leader ?? '',
    clusterId: replica.clusterId ?? '',
    'mode.flush': mode?.flush ?? '',
    'mode.replication': mode?.replication ?? '',
    // On a leader in async flush: it acknowledges as in sync flush, because no further member can be spared.
    'mode.flushing': String(replica.isFlushing),
    unreplicatedBytes: core.unreplicatedBytes,
    trusted: String(replica.trusted),
    electedInDoubt: String(replica.electedInDoubt),
    startIndex: replica.startIndex,
    lastIndex: replica.lastIndex,
    commitIndex: replica.commitIndex,
    stableIndex: replica.stableIndex,
    durableIndex: replica.durableIndex,
    appliedIndex: replica.appliedIndex,
    voters: replica.members.voters.join(','),
    learners: replica.members.learners.join(','),
    endOffset: log.end.offset,
    flushedOffset: log.flushed.offset,
    bytesOnDisk,
    badRanges: log.badRanges().length,
    diskFull: String(log.isDiskFull),
    followers: JSON.stringify(followers),
    // What elections may have lost (losses.ts), oldest first.
    losses: JSON.stringify(tables.losses.all),
  }
  return Object.fromEntries(Object.entries(rows).map(([key, value]) => [`raftmq.${key}`, String(value)]))
}

/** Of a slave that, whatever Raft calls it: it never stands for election. */
function roleText({ options, leadership }: NodeRuntimeNeeds, role: Role): string {
  if (options.role === 'slave') return 'slave'
  return role === 'leader' && !leadership.isReady ? 'leader (not ready)' : role
}

/** Store time of the first entry kept; -1 for an empty log. */
async function earliestTime(log: NodeState['log']): Promise<number> {
  const { offset } = log.start
  const frame = log.frameInMemory(offset) ?? (await log.frameAt(offset).catch(() => undefined))
  return frame === undefined ? -1 : frameTimestampMs(frame, 0)
}
