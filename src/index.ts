/** RaftMQ in the caller's process: `startCluster` for test suites and tools. */
export {}
