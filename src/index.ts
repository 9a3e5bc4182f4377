/**
 * RaftMQ in the caller's process: a whole cluster for test suites and tools. Producers and consumers are in
 * `raftmq/client`, the Raft core alone in `raftmq/raft`.
 */
export { startCluster } from './cli/in-process-cluster.ts'
export type { Cluster, ClusterNode, StartClusterOptions } from './cli/in-process-cluster.ts'
export type { BrokerStatus } from './broker/running-broker.ts'
export type { Log } from './lib/log.ts'
