/** Options of one replica. All of them belong to the process: nodes of one group may differ. */
import { raftErrors } from './errors.ts'

export interface RaftConfig {
  /** How often a leader speaks when it has nothing to say. Must be well below the election timeout. */
  readonly heartbeatMs: number
  /**
   * A follower that heard no leader for a time drawn between these two asks for an election. Within the lower one it
   * refuses to vote against a leader it hears. Must be above the heartbeat, a round trip and an fsync together.
   */
  readonly electionTimeoutMinMs: number
  readonly electionTimeoutMaxMs: number
  /** How often time is looked at. The resolution of everything above. */
  readonly tickMs: number
  /** A gap between two looks above this means that this node itself stood still: then no timeout ends before it has read. */
  readonly stallMs: number
  /** How long a follower may wait for a commit that no append carries. */
  readonly commitDelayMs: number
  /** Bytes of one append, about; one entry always goes, however large. */
  readonly maxAppendBytes: number
  /** Term runs of one append: bounds its head where leaders changed often. */
  readonly maxAppendRuns: number
  /** Memberships among the entries of one append, for the same reason. */
  readonly maxAppendMemberships: number
  /** Appends on the way to one follower, in messages and in bytes. A follower that does not answer holds no more. */
  readonly maxInflightMessages: number
  readonly maxInflightBytes: number
  /** Entries of a leader that are not committed: above it proposals are refused as busy. */
  readonly maxUncommittedEntries: number
  readonly maxUncommittedBytes: number
  /** Bytes of one piece of a reset. */
  readonly resetChunkBytes: number
  /** Entries that a learner may lack when it becomes a voter. */
  readonly promotionLagEntries: number
  /** Waiting read-index requests; more are refused. */
  readonly maxReadWaiters: number
}

const MiB = 1024 * 1024

export const defaultRaftConfig: RaftConfig = {
  heartbeatMs: 100,
  electionTimeoutMinMs: 500,
  electionTimeoutMaxMs: 1000,
  tickMs: 20,
  stallMs: 200,
  commitDelayMs: 1,
  maxAppendBytes: MiB,
  maxAppendRuns: 256,
  maxAppendMemberships: 8,
  maxInflightMessages: 256,
  maxInflightBytes: 8 * MiB,
  maxUncommittedEntries: 65_536,
  maxUncommittedBytes: 64 * MiB,
  resetChunkBytes: 256 * 1024,
  promotionLagEntries: 1_000,
  maxReadWaiters: 10_000,
}

type Rule = readonly [holds: (config: RaftConfig) => boolean, text: string]

const rules: readonly Rule[] = [
  [(c) => c.electionTimeoutMinMs >= 2 * c.heartbeatMs, 'electionTimeoutMinMs must be at least twice heartbeatMs'],
  [(c) => c.tickMs <= c.heartbeatMs, 'tickMs must not be above heartbeatMs'],
  [
    // Deadlines that fall together make elections that nobody wins, again and again (Raft §5.2).
    (c) => c.electionTimeoutMaxMs - c.electionTimeoutMinMs >= 2 * c.tickMs,
    'electionTimeoutMaxMs must be above electionTimeoutMinMs by at least twice tickMs',
  ],
  [(c) => c.stallMs > c.tickMs, 'stallMs must be above tickMs'],
  [(c) => c.stallMs < c.electionTimeoutMinMs, 'stallMs must be below electionTimeoutMinMs'],
  [(c) => c.maxInflightBytes >= c.maxAppendBytes, 'maxInflightBytes must not be below maxAppendBytes'],
  [(c) => c.maxUncommittedBytes >= c.maxAppendBytes, 'maxUncommittedBytes must not be below maxAppendBytes'],
]

/**
 * The defaults with `options` over them, checked.
 * @throws `RAFT_BAD_CONFIG` with the rule that is broken, names and values in it.
 */
export function raftConfig(options: Partial<RaftConfig> = {}): RaftConfig {
  const config = { ...defaultRaftConfig, ...options }
  for (const [name, value] of Object.entries(config)) {
    if (!Number.isFinite(value) || value <= 0) throw bad(`${name} must be a number above 0, not ${value}`)
  }
  const broken = rules.find(([holds]) => !holds(config))
  if (broken !== undefined) throw bad(`${broken[1]}: ${JSON.stringify(config)}`)
  return config
}

/** However seldom anybody is to speak: how late a time may be noticed to be over. */
const SLOWEST_TICK_MS = 50

/**
 * How time is watched that the other times allow: the longest `tickMs`, as a node to which nothing happens wakes for its
 * ticks before all, and the default `stallMs` where elections are no faster than it.
 */
export function watchTimes(
  times: Pick<RaftConfig, 'heartbeatMs' | 'electionTimeoutMinMs' | 'electionTimeoutMaxMs'>,
): Pick<RaftConfig, 'tickMs' | 'stallMs'> {
  const { heartbeatMs, electionTimeoutMinMs, electionTimeoutMaxMs } = times
  return {
    tickMs: Math.min(SLOWEST_TICK_MS, heartbeatMs / 2, (electionTimeoutMaxMs - electionTimeoutMinMs) / 2),
    // Above every tick: a tick is at most half a heartbeat, and that half an election.
    stallMs: Math.min(defaultRaftConfig.stallMs, electionTimeoutMinMs / 2),
  }
}

const bad = (why: string): Error => raftErrors.create('RAFT_BAD_CONFIG', why)
