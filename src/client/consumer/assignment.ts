/**
 * Which queues this consumer should hold, topic by topic: asks who else is in the group and shares the queues out
 * (RocketMQ RebalanceImpl.rebalanceByTopic).
 */
import { allocateQueuesBy } from './allocate-queues.ts'
import { consumerIds } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import type { ResolvedGroupOptions } from './group-options.ts'

export interface Assignment {
  readonly queues: readonly MessageQueue[]
  /** Whether other clients share the topic: its queues may come from one of them. */
  readonly isShared: boolean
}

/** Of one round: broker name → the ids of the group's clients, as that broker lists them. Asked for once for all topics. */
export type Listed = Map<string, readonly string[]>

/** The queues this client should hold of `topic`; undefined when that cannot be told now and all stays as it is. */
export async function assignmentOf(
  core: ClientCore,
  options: ResolvedGroupOptions,
  topic: string,
  listed: Listed,
): Promise<Assignment | undefined> {
  const { log, group, model, allocate, requestTimeoutMs, random } = options
  const route = await core.routes.find(topic)
  if (route === undefined) return undefined
  if (model === 'broadcast') return { queues: route.readQueues, isShared: false }
  // Every broker of the topic knows the whole group: each member says hello to each.
  const groups = [...route.brokers.values()]
  const broker = groups.find(({ brokerName }) => listed.has(brokerName)) ?? groups[random.integer(0, groups.length - 1)]
  if (broker === undefined) return undefined
  const { brokerName } = broker
  const clientIds =
    listed.get(brokerName) ??
    (await core.callLeader(
      { topic, brokerName },
      (address, limits) => consumerIds(core.invoke, address, group, limits),
      { timeoutMs: requestTimeoutMs, signal: core.closing },
    ))
  listed.set(brokerName, clientIds)
  if (!clientIds.includes(core.clientId)) {
    // The broker lost sight of this client, or has not seen it yet. Giving up all queues would only stop consuming.
    log.debug({ topic, group }, 'the broker does not list this consumer: saying hello again')
    core.heartbeatAll()
    return undefined
  }
  const queues = allocateQueuesBy(allocate)({ clientId: core.clientId, queues: route.readQueues, clientIds })
  return { queues, isShared: clientIds.length > 1 }
}
