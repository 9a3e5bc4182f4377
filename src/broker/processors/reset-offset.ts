/**
 * Administrators move a group: 222 to another place, 314 to where another group is (RocketMQ AdminBrokerProcessor
 * resetOffset, resetOffsetInner, cloneGroupOffset; Broker2Client.resetOffset).
 */
import { ResetOffsetBody, ResetOffsetBodyForC } from '../../remoting/bodies/queue.ts'
import { LanguageCode, RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { ResetOffsetRequestHeader } from '../../remoting/headers/client.ts'
import { CloneGroupOffsetRequestHeader } from '../../remoting/headers/group.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import type { ClientRelay } from '../clients/client-relay.ts'
import type { Clients, Member } from '../clients/clients.ts'
import { type ConsumerOffsets, offsetCommands } from '../tables/consumer-offsets.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { OffsetCommits } from '../clients/offset-commits.ts'
import type { PullHold } from '../clients/pull-hold.ts'
import type { PullResets } from '../clients/pull-resets.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { SubscriptionGroups } from '../tables/subscription-groups.ts'
import type { TopicConfig, Topics } from '../tables/topics.ts'

export interface ResetOffsetNeeds {
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly autoCreate: Pick<AutoCreate, 'group'>
  readonly offsets: ConsumerOffsets
  readonly commits: Pick<OffsetCommits, 'pending' | 'forget'>
  readonly resets: PullResets
  readonly hold: Pick<PullHold, 'wakeAll'>
  readonly clients: Pick<Clients, 'consumers' | 'consumerGroup' | 'subscription'>
  readonly relay: Pick<ClientRelay, 'notify'>
  readonly proposals: Pick<Proposals, 'command'>
  readonly leadership: Pick<Leadership, 'readBarrier'>
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    offsetByTime(topic: string, queueId: number, timestampMs: number, boundary: 'lower' | 'upper'): Promise<number>
  }
  readonly identity: BrokerIdentity
  readonly options: { readonly useServerSideResetOffset: boolean }
}

type QueueOffsets = ReadonlyMap<number, number>

export function resetOffset(need: ResetOffsetNeeds): Route<unknown>[] {
  const { topics, groups, offsets, clients, store, identity, options } = need

  return [
    route({ code: RequestCode.INVOKE_BROKER_TO_RESET_OFFSET, request: ResetOffsetRequestHeader, handle: reset }),
    route({ code: RequestCode.CLONE_GROUP_OFFSET, request: CloneGroupOffsetRequestHeader, handle: clone }),
  ]

  async function reset(header: ResetOffsetRequestHeader): Promise<Reply> {
    await need.leadership.readBarrier()
    const { topic, group } = header
    const row = topics.get(topic)
    if (row === undefined) throw refusal('BROKER_TOPIC_NOT_EXIST', `Topic ${topic} does not exist`)
    if (!groups.has(group)) throw refusal('BROKER_GROUP_NOT_EXIST', `Group ${group} does not exist`)
    const wanted = await offsetsFor(header, row)
    const members = clients.consumers(group)
    if (options.useServerSideResetOffset) await commit(topic, group, wanted)
    else if (members.length === 0) {
      throw refusal(
        'BROKER_CONSUMER_OFFLINE',
        `Consumer not online, so can not reset offset, Group: ${group} Topic: ${topic} Timestamp: ${header.timestamp}`,
      )
    }
    tell(header, members, wanted)
    return { code: ResponseCode.SUCCESS, body: ResetOffsetBody.encode({ offsetTable: tableOf(topic, wanted) }) }
  }

  async function offsetsFor(header: ResetOffsetRequestHeader, row: TopicConfig): Promise<QueueOffsets> {
    const { topic, queueId, offset } = header
    if (queueId === undefined || queueId < 0) {
      const wanted = new Map<number, number>()
      const count = options.useServerSideResetOffset ? row.readQueueNums : row.writeQueueNums
      for (let id = 0; id < count; id++) wanted.set(id, await byTime(header, id))
      return wanted
    }
    if (offset === undefined || offset === -1) return new Map([[queueId, await byTime(header, queueId)]])
    const { min, max } = store.queueBounds(topic, queueId) ?? { min: 0, max: 0 }
    if (offset < min || offset > max + 1 || queueId >= row.readQueueNums) {
      throw refusal('BROKER_REFUSED', `Target offset ${offset} not in consume queue range [${min}-${max}]`)
    }
    return new Map([[queueId, offset]])
  }

  async function byTime(header: ResetOffsetRequestHeader, queueId: number): Promise<number> {
    const { topic, group, timestamp } = header
    const end = store.queueBounds(topic, queueId)?.max ?? 0
    const wanted = timestamp < 0 ? end : await store.offsetByTime(topic, queueId, timestamp, 'lower')
    if (options.useServerSideResetOffset) return wanted
    const consumed = need.commits.pending(topic, group, queueId) ?? offsets.get(topic, group, queueId)
    if (consumed === undefined) throw refusal('BROKER_REFUSED', `THe consumer group <${group}> not exist`)
    return header.isForce === true ? wanted : Math.min(wanted, consumed)
  }

  /** What consumers said before and is not in the log yet must not come behind it. */
  async function commit(topic: string, group: string, wanted: QueueOffsets): Promise<void> {
    need.commits.forget((ofTopic, ofGroup) => ofTopic === topic && ofGroup === group)
    await need.proposals.command(offsetCommands.commit([{ topic, group, offsets: wanted }]))
  }

  /**
   * Push consumers set their offsets when they are told (220), whatever they are at; consumers that pull by themselves do
   * not know that request, and find out with their next pull.
   */
  function tell(header: ResetOffsetRequestHeader, members: readonly Member[], wanted: QueueOffsets): void {
    const { topic, group, timestamp, isForce } = header
    if (clients.consumerGroup(group)?.consumeType === 'CONSUME_ACTIVELY' && options.useServerSideResetOffset) {
      need.resets.set(topic, group, wanted)
      return need.hold.wakeAll(topic)
    }
    for (const member of members) {
      need.relay.notify(member, {
        code: RequestCode.RESET_CONSUMER_CLIENT_OFFSET,
        header: { topic, group, timestamp, isForce },
        body: resetBody(member, tableOf(topic, wanted)),
      })
    }
  }

  function tableOf(topic: string, wanted: QueueOffsets): ResetOffsetBody['offsetTable'] {
    return [...wanted].map(([queueId, offset]) => [{ brokerName: identity.brokerName, queueId, topic }, offset])
  }

  async function clone(header: CloneGroupOffsetRequestHeader): Promise<Reply> {
    await need.leadership.readBarrier()
    const { srcGroup, destGroup } = header
    const isOneTopic = header.topic !== undefined && header.topic.trim() !== ''
    const names = isOneTopic ? [header.topic ?? ''] : offsets.topicsOfGroup(srcGroup)
    const subscribed = clients.consumerGroup(srcGroup)?.subscriptions
    const wanted = names.filter((topic) => {
      if (!topics.has(topic) || offsets.ofTopic(topic, srcGroup).size === 0) return false
      const isLeft = subscribed !== undefined && subscribed.size > 0 && !subscribed.has(topic)
      return header.offline === true || !isLeft
    })
    if (wanted.length === 0) return { code: ResponseCode.SUCCESS }
    if ((await need.autoCreate.group(destGroup)) === undefined) {
      throw refusal('BROKER_GROUP_NOT_EXIST', `Group ${destGroup} does not exist`)
    }
    for (const topic of wanted) need.commits.forget((of, group) => of === topic && group === destGroup)
    const rows = wanted.map((topic) => ({ topic, group: destGroup, offsets: offsets.ofTopic(topic, srcGroup) }))
    await need.proposals.command(offsetCommands.commit(rows))
    return { code: ResponseCode.SUCCESS }
  }
}

function resetBody(member: Member, offsetTable: ResetOffsetBody['offsetTable']): Buffer {
  if (member.language !== LanguageCode.CPP) return ResetOffsetBody.encode({ offsetTable })
  return ResetOffsetBodyForC.encode({ offsetTable: offsetTable.map(([queue, offset]) => ({ ...queue, offset })) })
}
