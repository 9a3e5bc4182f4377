import { BrokerNode } from './node/broker-node.ts'
import { SlaveNode } from './node/slave-node.ts'
import type { BrokerConfiguration } from './options/options.ts'
import type { BrokerParts, RunningBroker } from './running-broker.ts'

/**
 * Starts one broker node. Resolves once its log is open and it takes part in its group; whether it leads, and is ready
 * for traffic, is told by `parts.onStatus`. A slave that has no id yet resolves while it looks for its master. Rejects when the folder, a port or the log cannot be had (`STORE_*`,
 * `REMOTING_LISTEN_FAILED`, …).
 */
export async function startBroker(configuration: BrokerConfiguration, parts: BrokerParts): Promise<RunningBroker> {
  const isSlave = configuration.options.role === 'slave'
  const node = isSlave ? new SlaveNode(configuration, parts) : new BrokerNode(configuration, parts)
  await node.start()
  return node
}
