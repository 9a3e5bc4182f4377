import type { BrokerStatus } from '../broker/running-broker.ts'

interface Watched {
  readonly plan: { readonly broker: string }
  readonly status: BrokerStatus | undefined
}

/** Whether every group has a leader that takes traffic and knows its mode, and every node is up and knows it. */
export function isServing(nodes: readonly Watched[]): boolean {
  const led = new Set(
    nodes
      .filter(({ status }) => status?.role === 'leader' && status.isReady && status.mode !== null)
      .map(({ plan }) => plan.broker),
  )
  return nodes.every(({ plan, status }) => status?.isReady === true && led.has(plan.broker))
}
