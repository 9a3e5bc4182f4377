/**
 * A name server and a broker in one, as simple as can be: queues are arrays, offsets a map. Tests tell it to misbehave
 * through `fault`. One `FakeCluster` may have several nodes that share the data, one of them the leader.
 */
import { field } from '../../src/client/core/java-json.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { decodeBatch } from '../../src/message/batch.ts'
import { encodeOffsetMessageId } from '../../src/message/message-id.ts'
import { recordLength, writeRecord } from '../../src/message/record.ts'
import type { RecordDraft } from '../../src/message/record.ts'
import { RaftmqCode, RequestCode, ResponseCode } from '../../src/remoting/codes.ts'
import { Router } from '../../src/remoting/route.ts'
import type { Call, Origin, Reply } from '../../src/remoting/route.ts'
import { RemotingServer } from '../../src/remoting/server.ts'
import { Connection } from '../../src/remoting/connection.ts'
import { groupsOf, json, number, offsetKey, stored, text } from './fake-fields.ts'
import { FakeLocks } from './fake-locks.ts'

export interface FakeTopic {
  readonly queues: Buffer[][]
}

/** What a node does with a request instead of handling it. Undefined: handle it. */
export type Fault = (call: Call, node: FakeNode) => Reply | 'silence' | 'cut' | undefined

interface Parked {
  readonly call: Call
  readonly topic: string
  readonly queueId: number
  readonly queueOffset: number
  readonly max: number
}

/** Requests that a follower answers too. */
const everywhere: ReadonlySet<number> = new Set([
  RequestCode.HEART_BEAT,
  RequestCode.UNREGISTER_CLIENT,
  RequestCode.GET_BROKER_RUNTIME_INFO,
])

const host = { ip: Uint8Array.of(127, 0, 0, 1), port: 10911 }

export class FakeCluster {
  readonly brokerName: string
  readonly topics = new Map<string, FakeTopic>()
  /** `group topic queueId` → offset. */
  readonly offsets = new Map<string, number>()
  readonly sentBack: { group: string; offset: number; delayLevel: number; maxReconsumeTimes: number }[] = []
  readonly requests: number[] = []
  /** clientId → the connections and data of its last heartbeat. */
  readonly clients = new Map<string, { readonly data: unknown; readonly connections: Set<Origin> }>()
  readonly unregistered: string[] = []
  readonly locks = new FakeLocks()
  readonly nodes: FakeNode[] = []
  leader: FakeNode | undefined
  fault: Fault | undefined
  autoCreate = true
  /** What answers to heartbeats say of who is there; undefined: nothing, as stock brokers do. */
  groupMembers: string | undefined
  #parked: Parked[] = []
  #logEnd = 0
  readonly #byOffset = new Map<number, RecordDraft>()
  readonly #namesrv: RemotingServer

  private constructor(brokerName: string) {
    this.brokerName = brokerName
    this.#namesrv = this.#server((call) => this.#route(call))
  }

  static async start(options: { nodes?: number; brokerName?: string } = {}): Promise<FakeCluster> {
    const cluster = new FakeCluster(options.brokerName ?? 'broker-a')
    await cluster.#namesrv.listen()
    for (let n = 0; n < (options.nodes ?? 1); n++) await cluster.addNode()
    cluster.leader = cluster.nodes[0]
    return cluster
  }

  get namesrv(): string {
    return `127.0.0.1:${this.#namesrv.port}`
  }

  async addNode(): Promise<FakeNode> {
    const node = new FakeNode(this.#server((call) => this.#handle(call, node)))
    await node.server.listen()
    this.nodes.push(node)
    return node
  }

  /** The node is gone, as after kill -9: every connection is cut. */
  async kill(node: FakeNode): Promise<void> {
    if (this.leader === node) this.leader = undefined
    await node.server.close(0)
  }

  async close(): Promise<void> {
    await Promise.all([this.#namesrv.close(0), ...this.nodes.map((node) => node.server.close(0))])
  }

  createTopic(name: string, queues = 4): FakeTopic {
    const topic = { queues: Array.from({ length: queues }, () => []) }
    this.topics.set(name, topic)
    return topic
  }

  /** Stores a message directly. */
  put(topic: string, queueId: number, body: string | Buffer, properties = '', more: Partial<RecordDraft> = {}): number {
    return this.store({
      topic,
      queueId,
      flag: 0,
      sysFlag: 0,
      bornTimestampMs: 1_700_000_000_000,
      bornHost: host,
      storeHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from(body),
      properties: Buffer.from(properties),
      ...more,
    }).queueOffset
  }

  store(draft: RecordDraft): { queueOffset: number; offset: number } {
    const queue = this.#queue(draft.topic, draft.queueId)
    const queueOffset = queue.length
    const offset = this.#logEnd
    const record = Buffer.alloc(recordLength(draft))
    writeRecord(draft, record, 0, { queueOffset, offset, storeTimestampMs: 1_700_000_000_000 + queueOffset })
    this.#logEnd += record.length
    this.#byOffset.set(offset, draft)
    queue.push(record)
    this.#wake()
    return { queueOffset, offset }
  }

  draftAt(offset: number): RecordDraft | undefined {
    return this.#byOffset.get(offset)
  }

  /** Everything stored for the topic, in the order of the log. */
  drafts(topic: string): RecordDraft[] {
    return [...this.#byOffset.values()].filter((draft) => draft.topic === topic)
  }

  bodies(topic: string): string[] {
    return this.drafts(topic).map((draft) => draft.body.toString())
  }

  committed(group: string, topic: string, queueId: number): number | undefined {
    return this.offsets.get(`${group} ${topic} ${queueId}`)
  }

  /** Sends a request to every client that gave a heartbeat. */
  tellClients(code: number, header: Record<string, string | number | boolean>, body?: Buffer): void {
    for (const connection of this.connections()) connection.invokeOneway({ code, header, body })
  }

  connections(): Origin[] {
    return [...new Set([...this.clients.values()].flatMap((client) => [...client.connections]))].filter(
      (connection) => !connection.closed,
    )
  }

  #server(handle: (call: Call) => void): RemotingServer {
    const router = new Router({
      routes: [],
      log: silentLog,
      intercept: (call) => {
        handle(call)
        return true
      },
    })
    return new RemotingServer({ host: '127.0.0.1', port: 0, router, clock: systemClock, log: silentLog })
  }

  #route(call: Call): void {
    const name = call.fields.get('topic') ?? ''
    if (call.code === RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER) {
      return call.respond(json({ topicList: [...this.topics.keys(), 'TBW102', this.brokerName] }))
    }
    if (call.code === RequestCode.GET_BROKER_CLUSTER_INFO) {
      return call.respond(json({ brokerAddrTable: { [this.brokerName]: this.#brokerData() } }))
    }
    if (call.code === RequestCode.DELETE_TOPIC_IN_NAMESRV) {
      this.topics.delete(name)
      return call.respond({ code: 0 })
    }
    if (call.code !== RequestCode.GET_ROUTEINFO_BY_TOPIC) return call.respond({ code: 3, remark: 'fake' })
    const topic =
      this.topics.get(name) ??
      (name === 'TBW102' && this.autoCreate ? { queues: Array.from({ length: 8 }, () => []) } : undefined)
    if (topic === undefined) return call.respond({ code: ResponseCode.TOPIC_NOT_EXIST, remark: `No topic ${name}` })
    const body = {
      queueDatas: [
        {
          brokerName: this.brokerName,
          readQueueNums: topic.queues.length,
          writeQueueNums: topic.queues.length,
          perm: 6,
        },
      ],
      brokerDatas: [this.#brokerData()],
    }
    call.respond(json(body))
  }

  #brokerData(): object {
    const followers = this.nodes.filter((node) => node !== this.leader)
    const addresses = Object.fromEntries(followers.map((node, n) => [n + 1, node.address]))
    const brokerAddrs = this.leader === undefined ? addresses : { 0: this.leader.address, ...addresses }
    return { cluster: 'DefaultCluster', brokerName: this.brokerName, brokerAddrs }
  }

  #handle(call: Call, node: FakeNode): void {
    this.requests.push(call.code)
    const misbehaviour = this.fault?.(call, node)
    if (misbehaviour === 'silence') return
    if (misbehaviour === 'cut') {
      if (call.connection instanceof Connection) call.connection.close()
      return
    }
    if (misbehaviour !== undefined) return call.respond(misbehaviour)
    const handler = this.#handlers.get(call.code)
    if (handler === undefined) return call.respond({ code: 3, remark: `fake broker: ${call.code}` })
    if (node !== this.leader && !everywhere.has(call.code)) {
      return call.respond({ code: ResponseCode.SERVICE_NOT_AVAILABLE, remark: 'not leader' })
    }
    const reply = handler(call, node)
    if (reply !== undefined) call.respond(reply)
  }

  readonly #handlers = new Map<number, (call: Call, node: FakeNode) => Reply | undefined>([
    ...this.locks.handlers,
    [RequestCode.SEND_MESSAGE_V2, (call) => this.#send(call)],
    [RequestCode.SEND_BATCH_MESSAGE, (call) => this.#sendBatch(call)],
    [RequestCode.PULL_MESSAGE, (call) => this.#pull(call)],
    [RequestCode.HEART_BEAT, (call) => this.#heartbeat(call)],
    [RequestCode.UNREGISTER_CLIENT, (call) => this.#unregister(call)],
    [
      RequestCode.GET_CONSUMER_LIST_BY_GROUP,
      (call) => ({
        code: 0,
        body: Buffer.from(JSON.stringify({ consumerIdList: this.#members(text(call, 'consumerGroup')) })),
      }),
    ],
    [
      RequestCode.QUERY_CONSUMER_OFFSET,
      (call) => {
        // A young queue begins at 0 for whoever does not ask otherwise, as in RocketMQ.
        const young = text(call, 'setZeroIfNotFound') === 'false' ? undefined : 0
        const offset = this.offsets.get(offsetKey(call)) ?? young
        return offset === undefined ? { code: ResponseCode.QUERY_NOT_FOUND } : { code: 0, header: { offset } }
      },
    ],
    [
      RequestCode.UPDATE_CONSUMER_OFFSET,
      (call) => {
        this.offsets.set(offsetKey(call), number(call, 'commitOffset'))
        return { code: 0 }
      },
    ],
    [RequestCode.GET_MAX_OFFSET, (call) => ({ code: 0, header: { offset: this.#queueOf(call).length } })],
    [RequestCode.GET_MIN_OFFSET, () => ({ code: 0, header: { offset: 0 } })],
    [
      RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
      (call) => {
        const after = number(call, 'timestamp') - 1_700_000_000_000
        return { code: 0, header: { offset: Math.max(0, Math.min(after, this.#queueOf(call).length)) } }
      },
    ],
    [RequestCode.GET_BROKER_RUNTIME_INFO, (_call, node) => json({ table: this.runtime(node) })],
    [
      RequestCode.UPDATE_AND_CREATE_TOPIC,
      (call) => {
        this.createTopic(text(call, 'topic'), number(call, 'writeQueueNums'))
        return { code: 0 }
      },
    ],
    [RequestCode.DELETE_TOPIC_IN_BROKER, () => ({ code: 0 })],
    [
      RequestCode.GET_TOPIC_STATS_INFO,
      (call) => {
        const topic = text(call, 'topic')
        const queues = this.topics.get(topic)?.queues ?? []
        const rows = queues.map((queue, queueId) => {
          const key = JSON.stringify({ brokerName: this.brokerName, queueId, topic })
          return `${key}:{"lastUpdateTimestamp":0,"maxOffset":${queue.length},"minOffset":0}`
        })
        return { code: 0, body: Buffer.from(`{"offsetTable":{${rows.join(',')}},"topicPutTps":0.0}`) }
      },
    ],
    [
      RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG,
      () => {
        const groups = [...this.clients.values()].flatMap(({ data }) => groupsOf(data))
        const rows = ['TOOLS_CONSUMER', ...groups].map((group) => [group, { groupName: group, retryMaxTimes: 16 }])
        return json({ subscriptionGroupTable: Object.fromEntries(rows) })
      },
    ],
    [
      RequestCode.GET_CONSUME_STATS,
      (call) => {
        const rows = [...this.offsets].flatMap(([key, consumerOffset]) => {
          const [group, topic = '', queueId] = key.split(' ')
          if (group !== text(call, 'consumerGroup')) return []
          const brokerOffset = this.#queue(topic, Number(queueId)).length
          const queue = { brokerName: this.brokerName, queueId: Number(queueId), topic }
          return [`${JSON.stringify(queue)}:${JSON.stringify({ brokerOffset, consumerOffset })}`]
        })
        return { code: 0, body: Buffer.from(`{"consumeTps":0.0,"offsetTable":{${rows.join(',')}}}`) }
      },
    ],
    [
      RequestCode.GET_CONSUMER_CONNECTION_LIST,
      (call) => {
        const members = this.#members(text(call, 'consumerGroup'))
        if (members.length === 0) return { code: ResponseCode.CONSUMER_NOT_ONLINE, remark: 'not online' }
        const connectionSet = members.map((clientId) => ({ clientId, clientAddr: '127.0.0.1:1', language: 'OTHER' }))
        return json({ connectionSet })
      },
    ],
    [
      RaftmqCode.TRANSFER_LEADERSHIP,
      (call) => {
        this.transfers.push(text(call, 'to'))
        return text(call, 'to') === 'n1' ? { code: 0 } : { code: 1, remark: `no node ${text(call, 'to')}` }
      },
    ],
    [
      RequestCode.CONSUMER_SEND_MSG_BACK,
      (call) => {
        this.sentBack.push({
          group: text(call, 'group'),
          offset: number(call, 'offset'),
          delayLevel: number(call, 'delayLevel'),
          maxReconsumeTimes: number(call, 'maxReconsumeTimes'),
        })
        const draft = this.#byOffset.get(number(call, 'offset'))
        const isHopeless =
          number(call, 'delayLevel') < 0 || (draft?.reconsumeTimes ?? 0) >= number(call, 'maxReconsumeTimes')
        const topic = `${isHopeless ? '%DLQ%' : '%RETRY%'}${text(call, 'group')}`
        if (isHopeless && !this.topics.has(topic)) this.createTopic(topic, 1)
        if (draft !== undefined) {
          const retryTopic = draft.properties.includes('RETRY_TOPIC') ? '' : `RETRY_TOPIC\u0001${draft.topic}\u0002`
          this.store({
            ...draft,
            topic,
            queueId: 0,
            reconsumeTimes: draft.reconsumeTimes + 1,
            properties: Buffer.concat([draft.properties, Buffer.from(retryTopic)]),
          })
        }
        return { code: 0 }
      },
    ],
  ])

  /** Keys of the runtime information of a node. */
  runtime: (node: FakeNode) => Record<string, string> = () => ({})
  readonly transfers: string[] = []

  #send(call: Call): Reply {
    const topic = text(call, 'b')
    if (!this.topics.has(topic)) this.createTopic(topic, number(call, 'd'))
    const draft: RecordDraft = {
      topic,
      queueId: number(call, 'e'),
      flag: number(call, 'h'),
      sysFlag: number(call, 'f'),
      bornTimestampMs: number(call, 'g'),
      bornHost: host,
      storeHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from(call.body),
      properties: Buffer.from(call.fields.get('i') ?? ''),
    }
    const { queueOffset, offset } = this.store(draft)
    return { code: 0, header: stored(draft.queueId, queueOffset, encodeOffsetMessageId(host, offset)) }
  }

  #sendBatch(call: Call): Reply {
    const topic = text(call, 'b')
    if (!this.topics.has(topic)) this.createTopic(topic, number(call, 'd'))
    const queueId = number(call, 'e')
    let first = -1
    const ids: string[] = []
    for (const { body, flag, properties } of decodeBatch(call.body)) {
      const more = { flag, properties: Buffer.from(properties) }
      const queueOffset = this.put(topic, queueId, Buffer.from(body), '', more)
      if (first < 0) first = queueOffset
      ids.push(encodeOffsetMessageId(host, this.#logEnd))
    }
    return { code: 0, header: stored(queueId, first, ids.join(',')) }
  }

  #pull(call: Call): Reply | undefined {
    const parked = {
      call,
      topic: text(call, 'topic'),
      queueId: number(call, 'queueId'),
      queueOffset: number(call, 'queueOffset'),
      max: number(call, 'maxMsgNums'),
    }
    const reply = this.#tryPull(parked)
    if (reply !== undefined) return reply
    this.#parked.push(parked)
    systemClock.after(number(call, 'suspendTimeoutMillis'), () => {
      if (!this.#parked.includes(parked)) return
      this.#parked = this.#parked.filter((other) => other !== parked)
      call.respond(this.#pullReply(ResponseCode.PULL_NOT_FOUND, parked, parked.queueOffset))
    })
    return undefined
  }

  #tryPull(parked: Parked): Reply | undefined {
    const queue = this.#queue(parked.topic, parked.queueId)
    if (parked.queueOffset > queue.length) return this.#pullReply(ResponseCode.PULL_OFFSET_MOVED, parked, queue.length)
    const records = queue.slice(parked.queueOffset, parked.queueOffset + parked.max)
    if (records.length === 0) return undefined
    return this.#pullReply(0, parked, parked.queueOffset + records.length, records)
  }

  #pullReply(code: number, parked: Parked, nextBeginOffset: number, body: Buffer[] = []): Reply {
    const maxOffset = this.#queue(parked.topic, parked.queueId).length
    return { code, header: { suggestWhichBrokerId: 0, nextBeginOffset, minOffset: 0, maxOffset }, body }
  }

  #wake(): void {
    const parked = this.#parked
    this.#parked = []
    for (const one of parked) {
      const reply = one.call.connection.closed ? undefined : this.#tryPull(one)
      if (reply !== undefined) one.call.respond(reply)
      else if (!one.call.connection.closed) this.#parked.push(one)
    }
  }

  #heartbeat(call: Call): Reply {
    const data: unknown = JSON.parse(call.body.toString())
    const clientId = String(field(data, 'clientID'))
    const known = this.clients.get(clientId)
    const isNew = known === undefined
    const connections = known?.connections ?? new Set<Origin>()
    connections.add(call.connection)
    this.clients.set(clientId, { data, connections })
    for (const group of groupsOf(data)) {
      if (!this.topics.has(`%RETRY%${group}`)) this.createTopic(`%RETRY%${group}`, 1)
      if (isNew) this.tellClients(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: group })
    }
    return { code: 0, header: { groupMembers: this.groupMembers } }
  }

  #unregister(call: Call): Reply {
    const clientId = text(call, 'clientID')
    this.unregistered.push(clientId)
    const known = this.clients.get(clientId)
    this.clients.delete(clientId)
    for (const group of groupsOf(known?.data)) {
      this.tellClients(RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, { consumerGroup: group })
    }
    return { code: 0 }
  }

  #members(group: string): string[] {
    return [...this.clients].filter(([, { data }]) => groupsOf(data).includes(group)).map(([clientId]) => clientId)
  }

  #queueOf(call: Call): Buffer[] {
    return this.#queue(text(call, 'topic'), number(call, 'queueId'))
  }

  #queue(topic: string, queueId: number): Buffer[] {
    const queue = this.topics.get(topic)?.queues[queueId]
    if (queue === undefined) throw new Error(`fake broker: no queue ${queueId} of ${topic}`)
    return queue
  }
}

export class FakeNode {
  readonly server: RemotingServer
  #address = ''

  constructor(server: RemotingServer) {
    this.server = server
  }

  /** Kept when the node is killed: the route may still name it. */
  get address(): string {
    if (this.server.port !== 0) this.#address = `127.0.0.1:${this.server.port}`
    return this.#address
  }
}
