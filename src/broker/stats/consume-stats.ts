/** How far consumer groups are behind (RocketMQ AdminBrokerProcessor.getConsumeStats, fetchAllConsumeStatsInBroker). */
import type { ConsumeStats } from '../../remoting/bodies/queue.ts'
import type { BrokerStats } from './broker-stats.ts'
import type { Clients } from '../clients/clients.ts'
import type { ConsumerOffsets } from '../tables/consumer-offsets.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { OffsetCommits } from '../clients/offset-commits.ts'
import type { TopicConfig, Topics } from '../tables/topics.ts'

export interface ConsumeStatsNeeds {
  readonly topics: Topics
  readonly offsets: ConsumerOffsets
  readonly commits: Pick<OffsetCommits, 'pending'>
  readonly clients: Pick<Clients, 'consumerGroup'>
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    timeOfQueueOffset(topic: string, queueId: number, queueOffset: number): Promise<number | undefined>
  }
  readonly stats: Pick<BrokerStats, 'tps'>
  readonly identity: BrokerIdentity
}

/** The group's topics: those given, else those it committed offsets for and, if it has members, still subscribes to. */
export function topicsToCollect(
  need: Pick<ConsumeStatsNeeds, 'offsets' | 'clients'>,
  given: { readonly group: string; readonly topic: string | undefined; readonly topicList: readonly string[] },
): string[] {
  if (given.topicList.length > 0) return [...given.topicList]
  const isTopicGiven = given.topic !== undefined && given.topic.trim() !== ''
  const topics = isTopicGiven ? [given.topic ?? ''] : need.offsets.topicsOfGroup(given.group)
  const subscriptions = need.clients.consumerGroup(given.group)?.subscriptions
  if (subscriptions === undefined || subscriptions.size === 0) return topics
  return topics.filter((topic) => subscriptions.has(topic))
}

/** Places of the group in all queues of the topics. */
export async function consumeStats(
  need: ConsumeStatsNeeds,
  group: string,
  topicNames: readonly string[],
): Promise<ConsumeStats> {
  const offsetTable: ConsumeStats['offsetTable'][number][] = []
  let consumeTps = 0
  for (const name of topicNames) {
    const topic = need.topics.get(name)
    if (topic === undefined) continue
    for (let queueId = 0; queueId < topic.readQueueNums; queueId++) {
      offsetTable.push(await queueStats(need, { group, topic, queueId }))
    }
    consumeTps += need.stats.tps('GROUP_GET_NUMS', `${name}@${group}`)
  }
  return { consumeTps, offsetTable }
}

async function queueStats(
  need: ConsumeStatsNeeds,
  place: { readonly group: string; readonly topic: TopicConfig; readonly queueId: number },
): Promise<ConsumeStats['offsetTable'][number]> {
  const { store, offsets, commits, identity } = need
  const { group, queueId } = place
  const topic = place.topic.topicName
  const consumerOffset = commits.pending(topic, group, queueId) ?? offsets.get(topic, group, queueId) ?? 0
  const lastTimestamp =
    consumerOffset > 0 ? await store.timeOfQueueOffset(topic, queueId, consumerOffset - 1) : undefined
  return [
    { brokerName: identity.brokerName, queueId, topic },
    {
      brokerOffset: store.queueBounds(topic, queueId)?.max ?? 0,
      consumerOffset,
      lastTimestamp: lastTimestamp ?? 0,
      // Where a consumer pulls now is not kept: what it committed is the least it pulled.
      pullOffset: consumerOffset,
    },
  ]
}

/** Messages that are stored and not consumed. */
export function behind(stats: ConsumeStats): number {
  return stats.offsetTable.reduce((sum, [, queue]) => sum + queue.brokerOffset - queue.consumerOffset, 0)
}
