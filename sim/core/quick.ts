import type { RaftConfig } from '../../src/raft/config.ts'

/** Shorter times than in production: more happens in a run, and its parts stay in proportion. */
export const quick: Partial<RaftConfig> = {
  tickMs: 25,
  heartbeatMs: 50,
  electionTimeoutMinMs: 150,
  electionTimeoutMaxMs: 300,
  stallMs: 100,
}
