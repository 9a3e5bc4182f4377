/**
 * Sends: 10, 310 and 320 (RocketMQ SendMessageProcessor, AbstractSendMessageProcessor, HookUtils). The usual send makes
 * one draft and one closure; whatever needs a topic or a group to be made first waits for it and goes on the same way.
 */
import type { Random } from '../../lib/prng.ts'
import { decodeBatch } from '../../message/batch.ts'
import { checkPropertiesLength, findProperty, PropertyName, parseProperties } from '../../message/properties.ts'
import { PROPERTIES_BYTES_MAX, type RecordDraft } from '../../message/record.ts'
import { SysFlag, withTransactionType } from '../../message/sys-flag.ts'
import { isClosedForSend, isRetryTopic, RETRY_TOPIC_PREFIX, SystemTopic, topicFault } from '../../message/topic-name.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { SendMessageRequestHeader } from '../../remoting/headers/send.ts'
import { type Call, type Route, route } from '../../remoting/route.ts'
import type { Admission } from '../log/admission.ts'
import type { SlaveAcks, SlaveAnswer } from '../log/slave-acks.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import { bornHost } from '../clients/born-host.ts'
import { putOf } from '../put.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import { refusal } from '../errors.ts'
import { halfDraft } from '../transactions/half-messages.ts'
import { checkMessageType, MESSAGE_TYPE } from '../tables/message-types.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Proposals, Stored } from '../needs.ts'
import { offsetMessageIds } from '../clients/offset-message-ids.ts'
import { encodeRecallHandle } from '../timed/recall-handle.ts'
import type { QueueLocks } from '../tables/queue-locks.ts'
import { checkGroupOfRetries, groupNotThere } from '../tables/subscription-groups.ts'
import { isWritable, type TopicConfig, type Topics } from '../tables/topics.ts'
import type { WaitingMessages } from '../timed/waiting-messages.ts'
import { fail, type Recover } from './failure.ts'
import { lastProperty, propertyText, waitsForStore } from './property-text.ts'

type Header = SendMessageRequestHeader

export interface SendMessageNeeds {
  readonly topics: Topics
  readonly autoCreate: AutoCreate
  readonly locks: Pick<QueueLocks, 'isGroupLocked'>
  readonly proposals: Pick<Proposals, 'records'>
  readonly admission: Admission
  /** Of a SYNC_MASTER. */
  readonly slaveAcks: Pick<SlaveAcks, 'confirm'> | undefined
  readonly stats: Pick<BrokerStats, 'put' | 'putFailed'>
  readonly identity: BrokerIdentity
  readonly waiting: Pick<WaitingMessages, 'placed'>
  readonly random: Random
  /** Makes the UNIQ_KEY of a message whose producer made none. */
  readonly uniqueId: () => string
  readonly recover: Recover
  readonly options: {
    readonly maxMessageSize: number
    readonly brokerPermission: number
    readonly rejectTransactionMessage: boolean
    readonly enableTopicMessageTypeCheck: boolean
  }
}

/** Properties that make a send more than a send. */
// oxlint-disable-next-line no-control-regex -- the separators of encoded properties are control characters
const SPECIAL = /(?:^|\u0002)(?:DELAY|TRAN_MSG|POP_CK|INNER_NUM|TIMER_DELAY_SEC|TIMER_DELAY_MS|TIMER_DELIVER_MS)\u0001/
/** RocketMQ SendMessageProcessor.handlePutMessageResult: stored in any case. */
const statuses: Readonly<Record<SlaveAnswer, number>> = {
  held: ResponseCode.SUCCESS,
  unavailable: ResponseCode.SLAVE_NOT_AVAILABLE,
  late: ResponseCode.FLUSH_SLAVE_TIMEOUT,
}
const UNIT_FLAG = 1
const UNIT_SUB_FLAG = 2

export function sendMessage(need: SendMessageNeeds): Route<unknown>[] {
  const { topics, autoCreate, identity, options } = need
  const messageId = offsetMessageIds(identity.storeHost)
  const suffix = propertyText([
    [PropertyName.MSG_REGION, identity.regionId],
    [PropertyName.TRACE_ON, String(identity.traceOn)],
    [PropertyName.CLUSTER, identity.clusterName],
  ])
  const MSG_REGION = identity.regionId
  const TRACE_ON = String(identity.traceOn)

  return [
    route({ code: RequestCode.SEND_MESSAGE, request: SendMessageRequestHeader, handle }),
    route({ code: RequestCode.SEND_MESSAGE_V2, request: SendMessageRequestHeader.short, handle }),
    route({ code: RequestCode.SEND_BATCH_MESSAGE, request: SendMessageRequestHeader.short, handle }),
  ]

  function handle(header: Header, call: Call): undefined {
    const topic = topics.get(header.topic)
    if (topic === undefined || isRetryTopic(header.topic)) prepareAndSend(header, call)
    else {
      check(header, topic)
      send(header, call, topic)
    }
    return undefined
  }

  /** A send that needs something made first; errors after a wait have no router above them. */
  function prepareAndSend(header: Header, call: Call): void {
    prepare(header).then(
      (topic) => {
        try {
          send(header, call, topic)
        } catch (error) {
          fail(need.recover, call, error)
        }
      },
      (error: unknown) => fail(need.recover, call, error),
    )
  }

  /** The topic that the message really goes to. */
  async function prepare(header: Header): Promise<TopicConfig> {
    const fault = topicFault(header.topic)
    if (fault !== undefined) throw refusal('BROKER_INVALID_PARAMETER', fault)
    const isRetry = isRetryTopic(header.topic)
    if (isRetry) checkGroupOfRetries(header.topic)
    const sysFlag = header.unitMode === true ? (isRetry ? UNIT_SUB_FLAG : UNIT_FLAG) : 0
    const topic =
      (await autoCreate.topicOfSend({
        topic: header.topic,
        defaultTopic: header.defaultTopic,
        queueNums: header.defaultTopicQueueNums,
        sysFlag,
      })) ?? (isRetry ? await retryTopicOf(header, sysFlag) : undefined)
    if (topic === undefined) {
      throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${header.topic}] not exist, apply first please!`)
    }
    check(header, topic)
    return isRetry && header.batch !== true ? divertToDlq(header, topic) : topic
  }

  async function retryTopicOf(header: Header, sysFlag: number): Promise<TopicConfig | undefined> {
    const group = await autoCreate.group(header.topic.slice(RETRY_TOPIC_PREFIX.length))
    return group === undefined ? undefined : autoCreate.retryTopic({ ...group, retryQueueNums: 1 }, { sysFlag })
  }

  /** A message that was retried too often, or belongs to a group that consumes in order, ends in the group's DLQ. */
  async function divertToDlq(header: Header, topic: TopicConfig): Promise<TopicConfig> {
    const groupName = header.topic.slice(RETRY_TOPIC_PREFIX.length)
    const group = await autoCreate.group(groupName)
    if (group === undefined) throw groupNotThere(groupName)
    const maxTimes = header.maxReconsumeTimes ?? group.retryMaxTimes
    const isOver = (header.reconsumeTimes ?? 0) > maxTimes
    return isOver || need.locks.isGroupLocked(groupName) ? autoCreate.dlqTopic(groupName) : topic
  }

  /** RocketMQ msgCheck. */
  function check(header: Header, topic: TopicConfig): void {
    if ((options.brokerPermission & 2) === 0 && topic.order) {
      throw refusal('BROKER_NO_PERMISSION', `the broker[${identity.ip}] sending message is forbidden`)
    }
    if (isClosedForSend(topic.topicName)) {
      throw refusal('BROKER_NO_PERMISSION', `Sending message to topic[${topic.topicName}] is forbidden.`)
    }
    if (!isWritable(topic)) {
      throw refusal('BROKER_NO_PERMISSION', `the topic[${topic.topicName}] sending message is forbidden`)
    }
    if (header.queueId >= Math.max(topic.writeQueueNums, topic.readQueueNums)) {
      const queues = `writeQueueNums=${topic.writeQueueNums}, readQueueNums=${topic.readQueueNums}`
      throw refusal(
        'BROKER_INVALID_PARAMETER',
        `request queueId[${header.queueId}] is illegal, TopicConfig [topicName=${topic.topicName}, ${queues}]`,
      )
    }
    if ((header.reconsumeTimes ?? 0) < 0) {
      throw refusal('BROKER_INVALID_PARAMETER', `reconsumeTimes ${header.reconsumeTimes} is less than none`)
    }
    if (topic.attributes[MESSAGE_TYPE] !== undefined && options.enableTopicMessageTypeCheck) {
      checkMessageType(topic, header.properties ?? '')
    }
    if (header.queueId < 0 && topic.writeQueueNums === 0) {
      throw refusal('BROKER_INVALID_PARAMETER', `topic[${topic.topicName}] has no queue to write to`)
    }
  }

  /** `topic` is where the message goes: the one asked for, or the dead-letter topic it was diverted to. */
  function send(header: Header, call: Call, topic: TopicConfig): void {
    if (call.body.length > options.maxMessageSize) throw tooLarge()
    const isDiverted = topic.topicName !== header.topic
    const queueId =
      header.queueId >= 0 && !isDiverted ? header.queueId : need.random.integer(0, topic.writeQueueNums - 1)
    // Which step of a transaction a record is, the broker says: what a client claims is not stored.
    let sysFlag = withTransactionType(header.sysFlag, 0)
    if (topic.topicFilterType === 'MULTI_TAG') sysFlag |= SysFlag.multiTags
    if (header.batch === true) sendBatch(header, call, topic, { queueId, sysFlag })
    else sendOne(header, call, topic, { queueId, sysFlag, isDiverted })
  }

  function sendOne(
    header: Header,
    call: Call,
    topic: TopicConfig,
    place: { readonly queueId: number; readonly sysFlag: number; readonly isDiverted: boolean },
  ): void {
    let properties = header.properties ?? ''
    if (properties.length > 0 && properties.charCodeAt(properties.length - 1) !== 2) properties += '\u0002'
    const isSpecial = place.isDiverted || SPECIAL.test(properties)
    if (isSpecial) properties = readSpecial(properties, place)
    let uniqueKey = lastProperty(properties, PropertyName.UNIQ_KEY)
    if (uniqueKey === undefined) {
      uniqueKey = need.uniqueId()
      properties += `${PropertyName.UNIQ_KEY}\u0001${uniqueKey}\u0002`
    }
    const encoded = Buffer.from(properties + suffix)
    if (encoded.length > PROPERTIES_BYTES_MAX) throw tooLarge()
    let draft: RecordDraft = {
      topic: topic.topicName,
      queueId: place.queueId,
      flag: header.flag,
      sysFlag: place.sysFlag,
      bornTimestampMs: header.bornTimestamp,
      bornHost: bornHost(call.connection),
      storeHost: identity.storeHost,
      reconsumeTimes: header.reconsumeTimes ?? 0,
      preparedTransactionOffset: 0,
      body: call.body,
      properties: encoded,
    }
    // A transaction that is not over is never acknowledged by less than the group's mode.
    let isEarly = !waitsForStore(properties)
    if (isSpecial) {
      const isOfTransaction = isHalf(header, properties)
      draft = isOfTransaction ? halfDraft(draft, uniqueKey) : need.waiting.placed(draft)
      isEarly &&= !isOfTransaction
    }
    const recallHandle = recallHandleOf(header, draft, uniqueKey)
    store(call, [draft], { queueId: place.queueId, uniqueKey, recallHandle, isEarly })
  }

  /** What RocketMQ's hooks do with properties that ask for more than storing. */
  function readSpecial(text: string, place: { readonly sysFlag: number; readonly isDiverted: boolean }): string {
    const properties = parseProperties(text)
    properties.delete(PropertyName.POP_CK)
    if (properties.has(PropertyName.INNER_NUM) && (place.sysFlag & SysFlag.innerBatch) === 0) throw tooLarge()
    if (place.isDiverted) properties.set(PropertyName.DELAY, '-1')
    return propertyText(properties)
  }

  /** Whether the message belongs to a transaction that is not over. Clients before 4.6.1 send such ones back as they are. */
  function isHalf(header: Header, text: string): boolean {
    const properties = parseProperties(text)
    if (properties.get(PropertyName.TRAN_MSG)?.toLowerCase() !== 'true') return false
    const isSentBack =
      (header.reconsumeTimes ?? 0) > 0 && Number.parseInt(properties.get(PropertyName.DELAY) ?? '0', 10) > 0
    if (isSentBack) return false
    if (options.rejectTransactionMessage) {
      throw refusal('BROKER_NO_PERMISSION', `the broker[${identity.ip}] sending transaction message is forbidden`)
    }
    return true
  }

  function sendBatch(
    header: Header,
    call: Call,
    topic: TopicConfig,
    place: { readonly queueId: number; readonly sysFlag: number },
  ): void {
    if (isRetryTopic(header.topic)) {
      throw refusal('BROKER_MESSAGE_ILLEGAL', `batch request does not support retry group ${header.topic}`)
    }
    const origin = bornHost(call.connection)
    const drafts = decodeBatch(call.body).map(
      ({ flag, body, properties }): RecordDraft => ({
        topic: topic.topicName,
        queueId: place.queueId,
        flag,
        sysFlag: place.sysFlag,
        bornTimestampMs: header.bornTimestamp,
        bornHost: origin,
        storeHost: identity.storeHost,
        reconsumeTimes: header.reconsumeTimes ?? 0,
        preparedTransactionOffset: 0,
        body,
        properties: checkPropertiesLength(properties),
      }),
    )
    const properties = header.properties ?? ''
    const uniqueKey = lastProperty(properties, PropertyName.UNIQ_KEY)
    const isEarly = !waitsForStore(properties)
    store(call, drafts, { queueId: place.queueId, uniqueKey, recallHandle: undefined, isEarly })
  }

  /** RocketMQ attachRecallHandle. */
  function recallHandleOf({ topic }: Header, draft: RecordDraft, uniqueKey: string): string | undefined {
    if (draft.topic !== SystemTopic.timer || isRetryTopic(topic)) return undefined
    const timestampMs = Number(findProperty(draft.properties, PropertyName.TIMER_OUT_MS)) + 1
    return encodeRecallHandle({ topic, brokerName: identity.brokerName, timestampMs, uniqueKey })
  }

  /** `told.queueId` is the one that the client is told: of a delayed message, the one it will be delivered to. */
  function store(
    call: Call,
    drafts: readonly RecordDraft[],
    told: {
      readonly queueId: number
      readonly uniqueKey: string | undefined
      readonly recallHandle: string | undefined
      readonly isEarly: boolean
    },
  ): void {
    need.admission.enter()
    call.hold()
    const { queueId, uniqueKey, recallHandle, isEarly } = told
    const put = putOf(drafts)
    const done = (error: Error | undefined, stored: readonly Stored[] | undefined): void => {
      const first = stored?.[0]
      if (stored === undefined || first === undefined) {
        need.admission.leave()
        need.stats.putFailed()
        return fail(need.recover, call, error)
      }
      const answer = (code: number): void => {
        need.admission.leave()
        need.stats.put(put)
        call.respond({
          code,
          header: {
            msgId: stored.length === 1 ? messageId(first.offset) : idsOf(stored),
            queueId,
            queueOffset: first.queueOffset,
            transactionId: uniqueKey,
            ...(recallHandle === undefined ? undefined : { recallHandle }),
            MSG_REGION,
            TRACE_ON,
          },
        })
      }
      if (isEarly || need.slaveAcks === undefined) return answer(ResponseCode.SUCCESS)
      need.slaveAcks.confirm(first.index, (held) => answer(statuses[held]))
    }
    need.proposals.records(drafts, done, isEarly)
  }

  function idsOf(stored: readonly Stored[]): string {
    return stored.map(({ offset }) => messageId(offset)).join(',')
  }

  /** RocketMQ's MESSAGE_ILLEGAL, whatever was too much. */
  function tooLarge(): Error {
    return refusal(
      'BROKER_MESSAGE_ILLEGAL',
      'the message is illegal, maybe msg body or properties length not matched. msg body length limit ' +
        `${options.maxMessageSize}B, msg properties length limit 32KB.`,
    )
  }
}
