/**
 * Raft for whoever wants one. `Replica` is the driver over the ports of `ports.ts`: give it a log store, a stable store,
 * a transport and a clock. `RaftCore` is the pure core, for who drives it otherwise.
 */
export { defaultRaftConfig, raftConfig, type RaftConfig } from './config.ts'
export { RaftCore, type CoreInit, type ProposeRefusal, type Ready } from './core.ts'
export { raftErrors } from './errors.ts'
export type { Message } from './message.ts'
export type * from './ports.ts'
export { Replica, type ReplicaNeeds } from './replica.ts'
export type { FollowerStatus, ReplicaStatus } from './status.ts'
export * from './types.ts'
