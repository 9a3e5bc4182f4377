/** Subscription groups: 200, 201, 207, 208, 225, 317, 343, 345, 352 (RocketMQ AdminBrokerProcessor). */
import { groupFault, topicFault } from '../../message/topic-name.ts'
import { QuerySubscriptionResponseBody } from '../../remoting/bodies/client.ts'
import {
  GroupForbidden as GroupForbiddenBody,
  SubscriptionGroupConfig,
  SubscriptionGroupList,
  SubscriptionGroupWrapper,
} from '../../remoting/bodies/group.ts'
import { ConsumeStats, ConsumeStatsList } from '../../remoting/bodies/queue.ts'
import { TopicList } from '../../remoting/bodies/route.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { GetConsumeStatsInBrokerRequestHeader } from '../../remoting/headers/broker.ts'
import {
  DeleteSubscriptionGroupRequestHeader,
  GetAllSubscriptionGroupRequestHeader,
  GetConsumeStatsRequestHeader,
  GetSubscriptionGroupConfigRequestHeader,
  QuerySubscriptionByConsumerRequestHeader,
  QueryTopicsByConsumerRequestHeader,
  UpdateGroupForbiddenRequestHeader,
} from '../../remoting/headers/group.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import { checkAttributeChanges, groupAttributes } from '../tables/attributes.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { Clients } from '../clients/clients.ts'
import { dataVersion, groupBody, groupRow } from '../tables/config-bodies.ts'
import { behind, type ConsumeStatsNeeds, consumeStats, topicsToCollect } from '../stats/consume-stats.ts'
import { refusal } from '../errors.ts'
import { forbiddenCommands, type GroupForbidden } from '../tables/group-forbidden.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { OffsetCommits } from '../clients/offset-commits.ts'
import type { SubscriptionGroups } from '../tables/subscription-groups.ts'

export interface GroupAdminNeeds extends ConsumeStatsNeeds {
  readonly groups: SubscriptionGroups
  readonly commits: Pick<OffsetCommits, 'forget' | 'pending'>
  readonly clients: Pick<Clients, 'consumerGroup' | 'subscription'>
  readonly autoCreate: AutoCreate
  readonly forbidden: GroupForbidden
  readonly proposals: Pick<Proposals, 'command'>
  readonly leadership: Pick<Leadership, 'term' | 'readBarrier'>
}

export function groupAdmin(need: GroupAdminNeeds): Route<unknown>[] {
  const { topics, groups, offsets, clients, proposals, leadership, identity } = need

  return [
    route({
      code: RequestCode.UPDATE_AND_GET_GROUP_FORBIDDEN,
      request: UpdateGroupForbiddenRequestHeader,
      handle: forbid,
    }),
    route({ code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, request: EmptyHeader, handle: update }),
    route({ code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST, request: EmptyHeader, handle: updateList }),
    route({
      code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
      request: GetAllSubscriptionGroupRequestHeader,
      handle: all,
    }),
    route({
      code: RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG,
      request: GetSubscriptionGroupConfigRequestHeader,
      handle: get,
    }),
    route({
      code: RequestCode.DELETE_SUBSCRIPTIONGROUP,
      request: DeleteSubscriptionGroupRequestHeader,
      handle: remove,
    }),
    route({ code: RequestCode.GET_CONSUME_STATS, request: GetConsumeStatsRequestHeader, handle: progress }),
    route({
      code: RequestCode.GET_BROKER_CONSUME_STATS,
      request: GetConsumeStatsInBrokerRequestHeader,
      handle: progressOfAll,
    }),
    route({
      code: RequestCode.QUERY_TOPICS_BY_CONSUMER,
      request: QueryTopicsByConsumerRequestHeader,
      handle: ({ group }) => ({
        code: ResponseCode.SUCCESS,
        body: TopicList.encode({ brokerAddr: identity.address, topicList: offsets.topicsOfGroup(group) }),
      }),
    }),
    route({
      code: RequestCode.QUERY_SUBSCRIPTION_BY_CONSUMER,
      request: QuerySubscriptionByConsumerRequestHeader,
      handle: ({ group, topic }) => ({
        code: ResponseCode.SUCCESS,
        body: QuerySubscriptionResponseBody.encode({
          group,
          topic,
          subscriptionData: topic === undefined ? undefined : clients.subscription(group, topic)?.data,
        }),
      }),
    }),
  ]

  async function update(_header: unknown, call: Call): Promise<Reply> {
    await updateAll([SubscriptionGroupConfig.decode(call.body)])
    return { code: ResponseCode.SUCCESS }
  }

  async function updateList(_header: unknown, call: Call): Promise<Reply> {
    await updateAll(SubscriptionGroupList.decode(call.body).groupConfigList)
    return { code: ResponseCode.SUCCESS }
  }

  async function updateAll(bodies: readonly SubscriptionGroupConfig[]): Promise<void> {
    const changes = bodies.map(({ groupName, attributes }) => {
      const fault = groupFault(groupName)
      if (fault !== undefined) throw refusal('BROKER_INVALID_PARAMETER', fault)
      const change = Object.fromEntries(attributes)
      checkAttributeChanges(groupAttributes, groups.get(groupName)?.attributes, change)
      return change
    })
    if (bodies.length === 0) return
    await proposals.command(
      groups.commands.update(
        bodies.map((body) => groupRow(body)),
        changes,
      ),
    )
  }

  function all(header: GetAllSubscriptionGroupRequestHeader): Reply {
    const rows = [...groups.all()].sort((a, b) => (a.groupName < b.groupName ? -1 : 1))
    const from = header.groupSeq ?? 0
    const page = rows.slice(from, from + (header.maxGroupNum ?? rows.length))
    return {
      code: ResponseCode.SUCCESS,
      header: { totalGroupNum: groups.size },
      body: SubscriptionGroupWrapper.encode({
        dataVersion: dataVersion(groups.version, leadership.term),
        forbiddenTable: need.forbidden.all(),
        subscriptionGroupTable: new Map(page.map((row) => [row.groupName, groupBody(row)])),
      }),
    }
  }

  async function forbid({ group, topic, readable }: UpdateGroupForbiddenRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    if (!groups.has(group)) throw refusal('BROKER_GROUP_NOT_EXIST', `No group in this broker. group: ${group}`)
    if (topicFault(topic) !== undefined) throw refusal('BROKER_INVALID_PARAMETER', `topic ${topic}`)
    if (readable !== undefined) await proposals.command(forbiddenCommands.set(group, topic, !readable))
    const body = { group, topic, readable: !need.forbidden.isReadForbidden(group, topic) }
    return { code: ResponseCode.SUCCESS, body: GroupForbiddenBody.encode(body) }
  }

  async function get({ group }: GetSubscriptionGroupConfigRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    const row = groups.get(group)
    if (row === undefined) throw refusal('BROKER_GROUP_NOT_EXIST', `No group in this broker. group: ${group}`)
    return { code: ResponseCode.SUCCESS, body: SubscriptionGroupConfig.encode(groupBody(row)) }
  }

  async function remove({ groupName, cleanOffset }: DeleteSubscriptionGroupRequestHeader): Promise<Reply> {
    const withOffsets = cleanOffset === true
    if (withOffsets) need.commits.forget((_topic, group) => group === groupName)
    await proposals.command(groups.commands.delete(groupName, withOffsets))
    return { code: ResponseCode.SUCCESS }
  }

  async function progress(header: GetConsumeStatsRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    const { consumerGroup, topic } = header
    const topicList = (header.topicList ?? '').split(';').filter((name) => name !== '')
    const names = topicsToCollect(need, { group: consumerGroup, topic, topicList })
    const stats = await consumeStats(need, consumerGroup, names)
    return { code: ResponseCode.SUCCESS, body: ConsumeStats.encode(stats) }
  }

  async function progressOfAll({ isOrder }: GetConsumeStatsInBrokerRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    const consumeStatsList: Map<string, ConsumeStats[]>[] = []
    let totalDiff = 0
    for (const { groupName } of groups.all()) {
      const names = topicsToCollect(need, { group: groupName, topic: undefined, topicList: [] })
      const wanted = names.filter((name) => isOrder !== true || topics.get(name)?.order === true)
      const list = await Promise.all(wanted.map((name) => consumeStats(need, groupName, [name])))
      for (const stats of list) totalDiff += behind(stats)
      consumeStatsList.push(new Map([[groupName, list]]))
    }
    const body = { brokerAddr: identity.address, consumeStatsList, totalDiff, totalInflightDiff: 0 }
    return { code: ResponseCode.SUCCESS, body: ConsumeStatsList.encode(body) }
  }
}
