/** The requests of a name server (RocketMQ ClientRequestProcessor, DefaultRequestProcessor). */
import { KvTable } from '../remoting/bodies/broker.ts'
import { DataVersion, sameDataVersion } from '../remoting/bodies/data-version.ts'
import {
  bodyCrc32,
  decodeCompressed,
  noRegisterBrokerBody,
  RegisterBrokerBody,
} from '../remoting/bodies/register-broker.ts'
import { ClusterInfo, GetBrokerMemberGroupResponseBody, TopicList, TopicRouteData } from '../remoting/bodies/route.ts'
import { RequestCode, ResponseCode, Version } from '../remoting/codes.ts'
import { EmptyHeader } from '../remoting/header.ts'
import {
  BrokerHeartbeatRequestHeader,
  DeleteTopicFromNamesrvRequestHeader,
  GetBrokerMemberGroupRequestHeader,
  GetKvListByNamespaceRequestHeader,
  GetRouteInfoRequestHeader,
  GetTopicsByClusterRequestHeader,
  KvConfigRequestHeader,
  PutKvConfigRequestHeader,
  QueryDataVersionRequestHeader,
  RegisterBrokerRequestHeader,
  RegisterTopicRequestHeader,
  UnregisterBrokerRequestHeader,
  WritePermOfBrokerRequestHeader,
} from '../remoting/headers/namesrv.ts'
import { type Call, type Origin, type Reply, type Route, route } from '../remoting/route.ts'
import type { Log } from '../lib/log.ts'
import type { Clock } from '../lib/clock.ts'
import type { KvConfig } from './kv-config.ts'
import type { LiveOptions } from './live-options.ts'
import type { RouteTable } from './route-table.ts'
import { unitTopics } from './topic-table.ts'

export interface ProcessorNeeds {
  readonly table: RouteTable
  readonly kv: KvConfig
  readonly options: LiveOptions
  readonly clock: Clock
  readonly log: Log
  /** A broker registered by this connection: whoever owns connections tells the table when it closes. */
  readonly registered: (origin: Origin) => void
}

/** RocketMQ NamesrvUtil. */
const ORDER_TOPIC_CONFIG = 'ORDER_TOPIC_CONFIG'
/** RocketMQ MixAll.ZONE_NAME. */
const ZONE_NAME = '__ZONE_NAME'
const SEE = '\nSee https://rocketmq.apache.org/docs/bestPractice/06FAQ for further details.'
const success: Reply = { code: ResponseCode.SUCCESS }
const disabled: Reply = { code: ResponseCode.SYSTEM_ERROR, remark: 'disable' }

export function namesrvRoutes(need: ProcessorNeeds): Route<unknown>[] {
  return [
    ...routes(need),
    ...brokers(need),
    ...topicLists(need),
    ...topics(need),
    ...kvConfig(need),
    ...configuration(need),
  ]
}

function routes({ table, kv, options, clock }: ProcessorNeeds): Route<unknown>[] {
  const startedMs = clock.monotonicMs()
  return [
    route({
      code: RequestCode.GET_ROUTEINFO_BY_TOPIC,
      request: GetRouteInfoRequestHeader,
      handle({ topic, acceptStandardJsonOnly }, { version }) {
        const { needWaitForService, waitSecondsForService, orderMessageEnable } = options.current
        if (needWaitForService && clock.monotonicMs() - startedMs < waitSecondsForService * 1000) {
          return { code: ResponseCode.SYSTEM_ERROR, remark: 'name server not ready' }
        }
        const found = table.route(topic)
        if (found === undefined) {
          const remark = `No topic route info in name server for the topic: ${topic}${SEE}`
          return { code: ResponseCode.TOPIC_NOT_EXIST, remark }
        }
        const orderTopicConf = orderMessageEnable ? kv.get(ORDER_TOPIC_CONFIG, topic) : undefined
        const standard = version >= Version.V4_9_4 || acceptStandardJsonOnly === true
        return { ...success, body: TopicRouteData.encode({ ...found, orderTopicConf }, { standard }) }
      },
    }),
    route({
      code: RequestCode.GET_BROKER_CLUSTER_INFO,
      request: EmptyHeader,
      handle: () => ({ ...success, body: ClusterInfo.encode(table.clusterInfo()) }),
    }),
    route({
      code: RequestCode.GET_BROKER_MEMBER_GROUP,
      request: GetBrokerMemberGroupRequestHeader,
      handle({ clusterName, brokerName }) {
        const brokerMemberGroup = { brokerAddrs: table.members(brokerName), brokerName, cluster: clusterName }
        return { ...success, body: GetBrokerMemberGroupResponseBody.encode({ brokerMemberGroup }) }
      },
    }),
  ]
}

function brokers(need: ProcessorNeeds): Route<unknown>[] {
  const { table, clock, log } = need
  return [
    route({
      code: RequestCode.REGISTER_BROKER,
      request: RegisterBrokerRequestHeader,
      handle: (header, call) => register(need, header, call),
    }),
    route({
      code: RequestCode.UNREGISTER_BROKER,
      request: UnregisterBrokerRequestHeader,
      handle(header) {
        table.unregister(header)
        log.info({ broker: header.brokerName, address: header.brokerAddr }, 'a broker unregistered')
        return success
      },
    }),
    route({
      code: RequestCode.BROKER_HEARTBEAT,
      request: BrokerHeartbeatRequestHeader,
      handle({ clusterName, brokerAddr }) {
        table.heartbeat(clusterName, brokerAddr, clock.monotonicMs())
        return success
      },
    }),
    route({
      code: RequestCode.QUERY_DATA_VERSION,
      request: QueryDataVersionRequestHeader,
      handle({ clusterName, brokerAddr }, call) {
        const asked = DataVersion.decode(call.body)
        const known = table.dataVersion(clusterName, brokerAddr)
        table.heartbeat(clusterName, brokerAddr, clock.monotonicMs())
        if (known === undefined) return { ...success, header: { changed: true } }
        return { ...success, header: { changed: !sameDataVersion(known, asked) }, body: DataVersion.encode(known) }
      },
    }),
    route({
      code: RequestCode.WIPE_WRITE_PERM_OF_BROKER,
      request: WritePermOfBrokerRequestHeader,
      handle({ brokerName }) {
        const wipeTopicCount = table.topics.wipeWrite(brokerName)
        log.info({ broker: brokerName, topics: wipeTopicCount }, 'write permission of a broker wiped')
        return { ...success, header: { wipeTopicCount } }
      },
    }),
    route({
      code: RequestCode.ADD_WRITE_PERM_OF_BROKER,
      request: WritePermOfBrokerRequestHeader,
      handle({ brokerName }) {
        const addTopicCount = table.topics.addWrite(brokerName)
        log.info({ broker: brokerName, topics: addTopicCount }, 'write permission of a broker given back')
        return { ...success, header: { addTopicCount } }
      },
    }),
  ]
}

function register(need: ProcessorNeeds, header: RegisterBrokerRequestHeader, call: Call): Reply {
  const { table, kv, options, clock, log } = need
  const { clusterName, brokerName, brokerAddr, brokerId, bodyCrc32: expected = 0 } = header
  if (expected !== 0 && expected !== bodyCrc32(call.body)) {
    return { code: ResponseCode.SYSTEM_ERROR, remark: 'crc32 not match' }
  }
  const body = registerBody(header, call)
  const outcome = table.register(
    {
      clusterName,
      brokerName,
      brokerAddr,
      brokerId,
      haServerAddr: header.haServerAddr ?? '',
      zoneName: call.fields.get(ZONE_NAME),
      heartbeatTimeoutMs: header.heartbeatTimeoutMillis,
      enableActingMaster: header.enableActingMaster,
      topics: body.topicConfigSerializeWrapper,
      filterServers: body.filterServerList,
      channel: call.connection,
    },
    clock.monotonicMs(),
  )
  if (outcome.kind === 'unknown-broker') return { code: ResponseCode.SYSTEM_ERROR, remark: 'register broker failed' }
  if (outcome.kind === 'fenced') {
    const { stateVersion: term } = body.topicConfigSerializeWrapper.dataVersion
    log.warn(
      { broker: brokerName, address: brokerAddr, term, newest: outcome.newest },
      'an old leader is not listened to',
    )
  } else need.registered(call.connection)
  const leader = outcome.kind === 'registered' ? outcome.leader : undefined
  const orders = options.current.returnOrderTopicConfigToBroker ? kv.list(ORDER_TOPIC_CONFIG) : undefined
  return {
    ...success,
    header: { haServerAddr: leader?.haServerAddr, masterAddr: leader?.address },
    body: orders === undefined ? undefined : KvTable.encode({ table: orders }),
  }
}

function registerBody(header: RegisterBrokerRequestHeader, call: Call): RegisterBrokerBody {
  if (call.body.length === 0) return noRegisterBrokerBody
  if (header.compressed === true) return decodeCompressed(call.body, call.version)
  return RegisterBrokerBody.decode(call.body)
}

function topicLists({ table, options }: ProcessorNeeds): Route<unknown>[] {
  const unitList = (code: number, matches: (flags: number) => boolean): Route<unknown> =>
    route({
      code,
      request: EmptyHeader,
      handle: () => (options.current.enableTopicList ? list(table.topics.namesByFlags(matches)) : disabled),
    })
  return [
    route({
      code: RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
      request: EmptyHeader,
      handle: () => (options.current.enableAllTopicList ? list(table.topics.names()) : disabled),
    }),
    route({
      code: RequestCode.GET_TOPICS_BY_CLUSTER,
      request: GetTopicsByClusterRequestHeader,
      handle: ({ cluster }) => (options.current.enableTopicList ? list(table.topicsOfCluster(cluster)) : disabled),
    }),
    route({
      code: RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS,
      request: EmptyHeader,
      handle: () => ({ ...success, body: TopicList.encode(table.systemTopics()) }),
    }),
    unitList(RequestCode.GET_UNIT_TOPIC_LIST, unitTopics.unit),
    unitList(RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST, unitTopics.withUnitSubscription),
    unitList(RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST, unitTopics.withUnitSubscriptionOnly),
  ]
}

function list(topicList: readonly string[]): Reply {
  return { ...success, body: TopicList.encode({ brokerAddr: undefined, topicList }) }
}

function topics({ table, log }: ProcessorNeeds): Route<unknown>[] {
  return [
    route({
      code: RequestCode.DELETE_TOPIC_IN_NAMESRV,
      request: DeleteTopicFromNamesrvRequestHeader,
      handle({ topic, clusterName = '' }) {
        if (clusterName === '') table.topics.delete(topic)
        else for (const brokerName of table.groupsOf(clusterName)) table.topics.deleteOf(topic, brokerName)
        log.info({ topic, cluster: clusterName }, 'a topic was taken out of the routes')
        return success
      },
    }),
    route({
      code: RequestCode.REGISTER_TOPIC_IN_NAMESRV,
      request: RegisterTopicRequestHeader,
      handle({ topic }, call) {
        const { queueDatas } = TopicRouteData.decode(call.body)
        // RocketMQ RouteInfoManager.registerTopic: queues of brokers that are not registered make all of it void.
        const isKnown = queueDatas.every(({ brokerName }) => table.hasGroup(brokerName))
        if (isKnown) for (const queues of queueDatas) table.topics.put(topic, queues)
        else log.warn({ topic }, 'a topic was registered for a broker that is not')
        return success
      },
    }),
  ]
}

function kvConfig({ kv }: ProcessorNeeds): Route<unknown>[] {
  return [
    route({
      code: RequestCode.PUT_KV_CONFIG,
      request: PutKvConfigRequestHeader,
      handle({ namespace, key, value }) {
        kv.put(namespace, key, value)
        return success
      },
    }),
    route({
      code: RequestCode.GET_KV_CONFIG,
      request: KvConfigRequestHeader,
      handle({ namespace, key }) {
        const value = kv.get(namespace, key)
        if (value !== undefined) return { ...success, header: { value } }
        return { code: ResponseCode.QUERY_NOT_FOUND, remark: `No config item, Namespace: ${namespace} Key: ${key}` }
      },
    }),
    route({
      code: RequestCode.DELETE_KV_CONFIG,
      request: KvConfigRequestHeader,
      handle({ namespace, key }) {
        kv.delete(namespace, key)
        return success
      },
    }),
    route({
      code: RequestCode.GET_KVLIST_BY_NAMESPACE,
      request: GetKvListByNamespaceRequestHeader,
      handle({ namespace }) {
        const pairs = kv.list(namespace)
        if (pairs !== undefined) return { ...success, body: KvTable.encode({ table: pairs }) }
        return { code: ResponseCode.QUERY_NOT_FOUND, remark: `No config item, Namespace: ${namespace}` }
      },
    }),
  ]
}

function configuration({ options, log }: ProcessorNeeds): Route<unknown>[] {
  return [
    route({
      code: RequestCode.UPDATE_NAMESRV_CONFIG,
      request: EmptyHeader,
      handle(_, call) {
        if (call.body.length > 0) options.change(call.body.toString('utf8'))
        log.info({ by: call.connection.remoteAddress }, 'the configuration was changed')
        return success
      },
    }),
    route({
      code: RequestCode.GET_NAMESRV_CONFIG,
      request: EmptyHeader,
      handle: () => ({ ...success, body: Buffer.from(options.format()) }),
    }),
  ]
}
