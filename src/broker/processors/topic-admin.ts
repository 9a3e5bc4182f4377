/** Topics: 17, 18, 21, 202, 215, 300, 305, 351 (RocketMQ AdminBrokerProcessor). */
import { isSystemTopic, SystemTopic, topicFault } from '../../message/topic-name.ts'
import { GroupList } from '../../remoting/bodies/group.ts'
import { TopicStatsTable } from '../../remoting/bodies/queue.ts'
import { TopicList } from '../../remoting/bodies/route.ts'
import {
  CreateTopicListRequestBody,
  TopicConfigAndQueueMapping,
  TopicConfigWrapper,
} from '../../remoting/bodies/topic.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import {
  CreateTopicRequestHeader,
  DeleteTopicRequestHeader,
  GetAllTopicConfigRequestHeader,
  GetTopicConfigRequestHeader,
  GetTopicStatsInfoRequestHeader,
  QueryTopicConsumeByWhoRequestHeader,
} from '../../remoting/headers/topic.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import {
  type AttributeChanges,
  checkAttributeChanges,
  parseAttributeChanges,
  topicAttributes,
} from '../tables/attributes.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import type { Clients } from '../clients/clients.ts'
import { dataVersion, topicBody, topicRow } from '../tables/config-bodies.ts'
import type { ConsumerOffsets } from '../tables/consumer-offsets.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import { MESSAGE_TYPE } from '../tables/message-types.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { OffsetCommits } from '../clients/offset-commits.ts'
import { TOPIC_QUEUES_MAX, type TopicConfig, type Topics, topicConfig } from '../tables/topics.ts'

export interface TopicAdminNeeds {
  readonly topics: Topics
  readonly offsets: ConsumerOffsets
  readonly commits: Pick<OffsetCommits, 'forget'>
  readonly clients: Pick<Clients, 'groupsOfTopic'>
  readonly proposals: Pick<Proposals, 'command'>
  readonly leadership: Pick<Leadership, 'term' | 'readBarrier'>
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    timeOfQueueOffset(topic: string, queueId: number, queueOffset: number): Promise<number | undefined>
  }
  readonly stats: Pick<BrokerStats, 'tps' | 'forgetTopic'>
  readonly identity: BrokerIdentity
  readonly options: { readonly enableMixedMessageType: boolean }
}

export function topicAdmin(need: TopicAdminNeeds): Route<unknown>[] {
  const { topics, offsets, clients, proposals, leadership, store, stats, identity, options } = need

  return [
    route({ code: RequestCode.UPDATE_AND_CREATE_TOPIC, request: CreateTopicRequestHeader, handle: update }),
    route({ code: RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, request: EmptyHeader, handle: updateList }),
    route({ code: RequestCode.GET_ALL_TOPIC_CONFIG, request: GetAllTopicConfigRequestHeader, handle: all }),
    route({ code: RequestCode.GET_TOPIC_CONFIG, request: GetTopicConfigRequestHeader, handle: get }),
    route({
      code: RequestCode.DELETE_TOPIC_IN_BROKER,
      request: DeleteTopicRequestHeader,
      illegal: ResponseCode.INVALID_PARAMETER,
      handle: remove,
    }),
    route({ code: RequestCode.GET_TOPIC_STATS_INFO, request: GetTopicStatsInfoRequestHeader, handle: statsOf }),
    route({ code: RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, request: QueryTopicConsumeByWhoRequestHeader, handle: who }),
    route({ code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_BROKER, request: EmptyHeader, handle: system }),
  ]

  async function update(header: CreateTopicRequestHeader): Promise<Reply> {
    const row = topicConfig(header.topic, {
      readQueueNums: header.readQueueNums,
      writeQueueNums: header.writeQueueNums,
      perm: header.perm,
      topicFilterType: header.topicFilterType === 'MULTI_TAG' ? 'MULTI_TAG' : 'SINGLE_TAG',
      topicSysFlag: header.topicSysFlag ?? 0,
      order: header.order ?? false,
    })
    const changes = parseAttributeChanges(header.attributes)
    check(row, changes)
    await proposals.command(topics.commands.update([row], [changes]))
    return { code: ResponseCode.SUCCESS }
  }

  async function updateList(_header: unknown, call: Call): Promise<Reply> {
    const { topicConfigList } = CreateTopicListRequestBody.decode(call.body)
    const rows = topicConfigList.map((body) => topicRow(body))
    const changes = topicConfigList.map(({ attributes }) => Object.fromEntries(attributes))
    rows.forEach((row, at) => check(row, changes[at] ?? {}))
    if (rows.length > 0) await proposals.command(topics.commands.update(rows, changes))
    return { code: ResponseCode.SUCCESS }
  }

  function check(row: TopicConfig, changes: AttributeChanges): void {
    const fault = topicFault(row.topicName)
    if (fault !== undefined) throw refusal('BROKER_INVALID_PARAMETER', fault)
    refuseSystemTopic(row.topicName)
    for (const queues of [row.readQueueNums, row.writeQueueNums]) {
      if (queues >= 0 && queues <= TOPIC_QUEUES_MAX) continue
      throw refusal('BROKER_INVALID_PARAMETER', `a topic has 0 to ${TOPIC_QUEUES_MAX} queues, not ${queues}`)
    }
    if (changes[`+${MESSAGE_TYPE}`] === 'MIXED' && !options.enableMixedMessageType) {
      throw refusal('BROKER_INVALID_PARAMETER', 'MIXED message type is not supported.')
    }
    checkAttributeChanges(topicAttributes, topics.get(row.topicName)?.attributes, changes)
  }

  function refuseSystemTopic(topic: string): void {
    if (!isSystem(topic)) return
    throw refusal('BROKER_INVALID_PARAMETER', `The topic[${topic}] is conflict with system topic.`)
  }

  function isSystem(topic: string): boolean {
    const { clusterName, brokerName } = identity
    return (
      isSystemTopic(topic) || topic === clusterName || topic === brokerName || topic === `${clusterName}_REPLY_TOPIC`
    )
  }

  function all(header: GetAllTopicConfigRequestHeader): Reply {
    const rows = [...topics.all()].sort((a, b) => (a.topicName < b.topicName ? -1 : 1))
    const version = dataVersion(topics.version, leadership.term)
    // A page of the table for those who ask for pages (RocketMQ enableSplitMetadata); older tools want it whole.
    const from = header.topicSeq ?? 0
    const page = rows.slice(from, from + (header.maxTopicNum ?? rows.length))
    return {
      code: ResponseCode.SUCCESS,
      header: { totalTopicNum: topics.size },
      body: TopicConfigWrapper.encode({
        dataVersion: version,
        mappingDataVersion: version,
        topicConfigTable: new Map(page.map((row) => [row.topicName, topicBody(row)])),
        topicQueueMappingDetailMap: new Map(),
        topicQueueMappingInfoMap: new Map(),
      }),
    }
  }

  async function get({ topic }: GetTopicConfigRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    const row = topics.get(topic)
    if (row === undefined) {
      throw refusal('BROKER_TOPIC_NOT_EXIST', `No topic in this broker. topic: ${topic}`)
    }
    const body = TopicConfigAndQueueMapping.encode({ ...topicBody(row), mappingDetail: undefined })
    return { code: ResponseCode.SUCCESS, body }
  }

  async function remove({ topic }: DeleteTopicRequestHeader): Promise<Reply> {
    if (topic.trim() === '') throw refusal('BROKER_INVALID_PARAMETER', 'The specified topic is blank.')
    refuseSystemTopic(topic)
    need.commits.forget((name) => name === topic)
    await proposals.command(topics.commands.delete(topic))
    // What came while the deletion was decided.
    need.commits.forget((name) => name === topic)
    stats.forgetTopic(topic)
    return { code: ResponseCode.SUCCESS }
  }

  async function statsOf({ topic }: GetTopicStatsInfoRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    const row = topics.get(topic)
    if (row === undefined) throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${topic}] not exist`)
    const queueIds = Array.from({ length: Math.max(row.writeQueueNums, row.readQueueNums) }, (_, queueId) => queueId)
    const offsetTable = await Promise.all(
      queueIds.map(async (queueId) => {
        const { min, max } = store.queueBounds(topic, queueId) ?? { min: 0, max: 0 }
        const lastMs = max === 0 ? 0 : await store.timeOfQueueOffset(topic, queueId, max - 1)
        const queue = { brokerName: identity.brokerName, queueId, topic }
        return [queue, { lastUpdateTimestamp: lastMs ?? 0, maxOffset: max, minOffset: min }] as const
      }),
    )
    const body = TopicStatsTable.encode({ offsetTable, topicPutTps: stats.tps('TOPIC_PUT_NUMS', topic) })
    return { code: ResponseCode.SUCCESS, body }
  }

  function who({ topic }: QueryTopicConsumeByWhoRequestHeader): Reply {
    const groupList = [...new Set([...clients.groupsOfTopic(topic), ...offsets.groupsOfTopic(topic)])].sort()
    return { code: ResponseCode.SUCCESS, body: GroupList.encode({ groupList }) }
  }

  function system(): Reply {
    const topicList = [...topics.all()].map(({ topicName }) => topicName).filter((topic) => isSystem(topic))
    const known = [...new Set([...Object.values(SystemTopic), ...topicList])].sort()
    return { code: ResponseCode.SUCCESS, body: TopicList.encode({ brokerAddr: undefined, topicList: known }) }
  }
}
