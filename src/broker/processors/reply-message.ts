/**
 * Replies to requests: 324 and 325 (RocketMQ ReplyMessageProcessor). The reply is pushed (326) to the producer that asked,
 * over whatever node of the group holds its connection, and stored in the cluster's reply topic.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/prng.ts'
import { offsetMessageIds } from '../../message/offset-message-ids.ts'
import { encodeProperties, parseProperties, type Properties, PropertyName } from '../../message/properties.ts'
import type { RecordDraft } from '../../message/record.ts'
import { isClosedForSend, topicFault } from '../../message/topic-name.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { SendMessageRequestHeader } from '../../remoting/headers/send.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { Admission } from '../log/admission.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import { bornHost } from '../clients/born-host.ts'
import { putOf } from '../put.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import type { ClientRelay } from '../clients/client-relay.ts'
import type { Clients } from '../clients/clients.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Proposals, Stored } from '../needs.ts'
import { isWritable, type TopicConfig } from '../tables/topics.ts'

export interface ReplyMessageNeeds {
  readonly autoCreate: Pick<AutoCreate, 'topicOfSend'>
  readonly clients: Pick<Clients, 'producer'>
  readonly relay: Pick<ClientRelay, 'ask'>
  readonly proposals: Pick<Proposals, 'records'>
  readonly admission: Admission
  readonly stats: Pick<BrokerStats, 'put' | 'putFailed'>
  readonly identity: BrokerIdentity
  readonly random: Random
  readonly clock: Clock
  readonly options: { readonly maxMessageSize: number; readonly storeReplyMessageEnable: boolean }
}

type Header = SendMessageRequestHeader

/** RocketMQ Broker2Client.callClient. */
const PUSH_TIMEOUT_MS = 10_000

export function replyMessage(need: ReplyMessageNeeds): Route<unknown>[] {
  const { identity, clock, options } = need
  const messageId = offsetMessageIds(identity.storeHost)
  const marks = { MSG_REGION: identity.regionId, TRACE_ON: String(identity.traceOn) }

  return [
    route({ code: RequestCode.SEND_REPLY_MESSAGE, request: SendMessageRequestHeader, handle }),
    route({ code: RequestCode.SEND_REPLY_MESSAGE_V2, request: SendMessageRequestHeader.short, handle }),
  ]

  async function handle(header: Header, call: Call): Promise<Reply> {
    const topic = await topicOf(header)
    if (call.body.length > options.maxMessageSize) {
      throw refusal('BROKER_MESSAGE_ILLEGAL', `the body is over ${options.maxMessageSize} bytes`)
    }
    const queueId = header.queueId < 0 ? need.random.integer(0, topic.writeQueueNums - 1) : header.queueId
    const properties = parseProperties(header.properties ?? '')
    const draft = draftOf(header, call, { topic: topic.topicName, queueId, properties })
    need.admission.enter()
    try {
      const remark = await push(header, call, properties)
      // Whether it is kept does not decide how the reply went, as in RocketMQ: it has arrived, or it has not.
      const stored = options.storeReplyMessageEnable ? await store(draft).catch(() => undefined) : undefined
      const msgId = stored === undefined ? '0' : messageId(stored.offset)
      const place = { msgId, queueId, queueOffset: stored?.queueOffset ?? 0 }
      return remark === undefined
        ? { code: ResponseCode.SUCCESS, header: { ...place, ...marks } }
        : { code: ResponseCode.SYSTEM_ERROR, remark, header: { ...place, ...marks } }
    } finally {
      need.admission.leave()
    }
  }

  /** RocketMQ msgCheck. */
  async function topicOf(header: Header): Promise<TopicConfig> {
    const fault = topicFault(header.topic)
    if (fault !== undefined) throw refusal('BROKER_INVALID_PARAMETER', fault)
    const { topic: name, defaultTopic, defaultTopicQueueNums: queueNums } = header
    const topic = await need.autoCreate.topicOfSend({ topic: name, defaultTopic, queueNums, sysFlag: 0 })
    if (topic === undefined) {
      throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${name}] not exist, apply first please!`)
    }
    if (isClosedForSend(name) || !isWritable(topic) || topic.writeQueueNums === 0) {
      throw refusal('BROKER_NO_PERMISSION', `the topic[${name}] sending message is forbidden`)
    }
    if (header.queueId >= Math.max(topic.writeQueueNums, topic.readQueueNums)) {
      throw refusal('BROKER_INVALID_PARAMETER', `request queueId[${header.queueId}] is illegal`)
    }
    return topic
  }

  /** Undefined when the one that asked has the reply; else why not, in RocketMQ's words. */
  async function push(header: Header, call: Call, properties: Properties): Promise<string | undefined> {
    const clientId = properties.get(PropertyName.REPLY_TO_CLIENT)
    if (clientId === undefined) return `reply message properties[${PropertyName.REPLY_TO_CLIENT}] is null`
    const member = need.clients.producer(clientId)
    if (member === undefined) return `push reply message fail, channel of <${clientId}> not found.`
    const nowMs = clock.nowMs()
    const pushed = new Map(properties).set(PropertyName.PUSH_REPLY_TIME, String(nowMs))
    const { producerGroup, topic, defaultTopic, defaultTopicQueueNums, queueId, sysFlag, flag } = header
    const request = {
      code: RequestCode.PUSH_REPLY_MESSAGE_TO_CLIENT,
      header: {
        producerGroup,
        topic,
        defaultTopic,
        defaultTopicQueueNums,
        queueId,
        sysFlag,
        bornTimestamp: header.bornTimestamp,
        flag,
        properties: encodeProperties(pushed).toString(),
        reconsumeTimes: header.reconsumeTimes,
        unitMode: header.unitMode,
        bornHost: call.connection.remoteAddress,
        storeHost: identity.address,
        storeTimestamp: nowMs,
      },
      body: call.body,
    }
    const failed = `push reply message to ${clientId}fail.`
    return need.relay.ask(member, request, PUSH_TIMEOUT_MS).then(
      ({ code }) => (code === ResponseCode.SUCCESS ? undefined : failed),
      () => failed,
    )
  }

  function draftOf(
    header: Header,
    call: Call,
    place: { readonly topic: string; readonly queueId: number; readonly properties: Properties },
  ): RecordDraft {
    return {
      topic: place.topic,
      queueId: place.queueId,
      flag: header.flag,
      sysFlag: header.sysFlag,
      bornTimestampMs: header.bornTimestamp,
      bornHost: bornHost(call.connection),
      storeHost: identity.storeHost,
      reconsumeTimes: header.reconsumeTimes ?? 0,
      preparedTransactionOffset: 0,
      body: call.body,
      properties: encodeProperties(place.properties),
    }
  }

  function store(draft: RecordDraft): Promise<Stored | undefined> {
    return new Promise((resolve, reject) => {
      need.proposals.records([draft], (error, stored) => {
        if (stored === undefined) {
          need.stats.putFailed()
          return reject(error ?? refusal('BROKER_UNDECIDED', 'a reply'))
        }
        need.stats.put(putOf([draft]))
        resolve(stored[0])
      })
    })
  }
}
