/** What a node tells of itself under `raftmq.*` in its runtime information (code 28): the source of `raftmq status`. */
import type { ReplicaStatus } from '../raft/status.ts'

export interface NodeStatusNeeds {
  readonly nodeId: string
  readonly pid: number
  /** Undefined while the node recovers. */
  readonly replica: () => ReplicaStatus | undefined
  readonly isReady: () => boolean
  readonly mode: () => { readonly flush: 'sync' | 'async'; readonly replication: 'sync' | 'async' }
  readonly log: () =>
    | {
        readonly endOffset: number
        readonly flushedOffset: number
        readonly byteLength: (first: number, last: number) => number
      }
    | undefined
  readonly bytesOnDisk: () => Promise<number>
  /** Digest of the tables and the index that it stands for. */
  readonly tables: () => { readonly digest: string; readonly appliedIndex: number } | undefined
}

export type RuntimeTable = Readonly<Record<string, string>>

/** The key-value pairs. `followers` is JSON: what `raftmq status` shows of every other member, empty off the leader. */
export async function nodeStatus(need: NodeStatusNeeds): Promise<RuntimeTable> {
  const replica = need.replica()
  const log = need.log()
  const mode = need.mode()
  const tables = need.tables()
  const base = {
    'raftmq.nodeId': need.nodeId,
    'raftmq.pid': String(need.pid),
    'raftmq.mode.flush': mode.flush,
    'raftmq.mode.replication': mode.replication,
    'raftmq.bytesOnDisk': String(await need.bytesOnDisk()),
  }
  if (replica === undefined || log === undefined) return { ...base, 'raftmq.role': 'recovering' }
  const followers = Object.entries(replica.progress).map(([id, follower]) => ({
    id,
    matchIndex: follower.match,
    lagEntries: follower.lagEntries,
    lagBytes: follower.lagEntries === 0 ? 0 : log.byteLength(follower.match + 1, replica.lastIndex),
    lastContactMs: Math.round(follower.lastContactMs),
    state: follower.filled ? follower.state : 'filling',
  }))
  return {
    ...base,
    'raftmq.role': replica.role === 'leader' && !need.isReady() ? 'leader (not ready)' : replica.role,
    'raftmq.term': String(replica.term),
    'raftmq.leader': replica.leader ?? '',
    'raftmq.clusterId': replica.clusterId ?? '',
    'raftmq.startIndex': String(replica.startIndex),
    'raftmq.lastIndex': String(replica.lastIndex),
    'raftmq.commitIndex': String(replica.commitIndex),
    'raftmq.stableIndex': String(replica.stableIndex),
    'raftmq.appliedIndex': String(replica.appliedIndex),
    'raftmq.voters': replica.members.voters.join(','),
    'raftmq.learners': replica.members.learners.join(','),
    'raftmq.endOffset': String(log.endOffset),
    'raftmq.flushedOffset': String(log.flushedOffset),
    'raftmq.followers': JSON.stringify(followers),
    'raftmq.tablesDigest': tables === undefined ? '' : `${tables.appliedIndex}:${tables.digest}`,
  }
}
