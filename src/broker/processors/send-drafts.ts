/**
 * What a send becomes in the log: its topic is checked, or made first, and its messages are drafts of records (RocketMQ
 * SendMessageProcessor, AbstractSendMessageProcessor, HookUtils). One way for every request that sends.
 */
import type { Random } from '../../lib/prng.ts'
import { type BatchPlace, decodeBatch } from '../../message/batch.ts'
import { checkPropertiesLength, findProperty, PropertyName, parseProperties } from '../../message/properties.ts'
import { PROPERTIES_BYTES_MAX, type RecordDraft } from '../../message/record.ts'
import { SysFlag, withTransactionType } from '../../message/sys-flag.ts'
import { isClosedForSend, isRetryTopic, RETRY_TOPIC_PREFIX, SystemTopic, topicFault } from '../../message/topic-name.ts'
import type { SendMessageRequestHeader } from '../../remoting/headers/send.ts'
import type { Call } from '../../remoting/route.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import { bornHost } from '../clients/born-host.ts'
import { refusal } from '../errors.ts'
import { halfDraft } from '../transactions/half-messages.ts'
import { checkMessageType, MESSAGE_TYPE } from '../tables/message-types.ts'
import type { BrokerIdentity } from '../identity.ts'
import { encodeRecallHandle } from '../timed/recall-handle.ts'
import type { QueueLocks } from '../tables/queue-locks.ts'
import { checkGroupOfRetries, groupNotThere } from '../tables/subscription-groups.ts'
import { isWritable, type TopicConfig, type Topics } from '../tables/topics.ts'
import type { WaitingMessages } from '../timed/waiting-messages.ts'
import { lastProperty, propertyText, waitsForStore } from './property-text.ts'

type Header = SendMessageRequestHeader
/** What a send brought, and whose it is. */
export interface Sent extends Pick<Call, 'body' | 'connection'> {
  /** Where its batch lies, if that is not all of the body. */
  readonly place?: BatchPlace
}

export interface SendDraftsNeeds {
  readonly topics: Topics
  readonly autoCreate: AutoCreate
  readonly locks: Pick<QueueLocks, 'isGroupLocked'>
  readonly identity: BrokerIdentity
  readonly waiting: Pick<WaitingMessages, 'placed'>
  readonly random: Random
  /** Makes the UNIQ_KEY of a message whose producer made none. */
  readonly uniqueId: () => string
  readonly options: {
    readonly maxMessageSize: number
    readonly brokerPermission: number
    readonly rejectTransactionMessage: boolean
    readonly enableTopicMessageTypeCheck: boolean
  }
}

/** A send that may be stored. */
export interface ReadySend {
  readonly drafts: readonly RecordDraft[]
  /** What the client is told: of a delayed message, the queue it will be delivered to. */
  readonly queueId: number
  readonly uniqueKey: string | undefined
  readonly recallHandle: string | undefined
  /** Whether its producer waits for no more than the leader's own write. */
  readonly isEarly: boolean
}

export interface SendDrafts {
  /** The topic of the send, checked; undefined where something has to be made first. Throws what refuses the send. */
  ready(header: Header): TopicConfig | undefined
  /** Makes what is missing and resolves with the topic that the message really goes to. */
  prepare(header: Header): Promise<TopicConfig>
  /** `topic` is where the message goes: the one asked for, or the dead-letter topic it was diverted to. */
  of(header: Header, sent: Sent, topic: TopicConfig): ReadySend
}

/** Properties that make a send more than a send. */
// oxlint-disable-next-line no-control-regex -- the separators of encoded properties are control characters
const SPECIAL = /(?:^|\u0002)(?:DELAY|TRAN_MSG|POP_CK|INNER_NUM|TIMER_DELAY_SEC|TIMER_DELAY_MS|TIMER_DELIVER_MS)\u0001/
const UNIT_FLAG = 1
const UNIT_SUB_FLAG = 2

export function sendDrafts(need: SendDraftsNeeds): SendDrafts {
  const { topics, autoCreate, identity, options } = need
  const suffix = propertyText([
    [PropertyName.MSG_REGION, identity.regionId],
    [PropertyName.TRACE_ON, String(identity.traceOn)],
    [PropertyName.CLUSTER, identity.clusterName],
  ])
  return { ready, prepare, of }

  function ready(header: Header): TopicConfig | undefined {
    const topic = topics.get(header.topic)
    if (topic === undefined || isRetryTopic(header.topic)) return undefined
    check(header, topic)
    return topic
  }

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

  function of(header: Header, sent: Sent, topic: TopicConfig): ReadySend {
    const { start, end } = sent.place ?? { start: 0, end: sent.body.length }
    if (end - start > options.maxMessageSize) throw tooLarge()
    const isDiverted = topic.topicName !== header.topic
    const queueId =
      header.queueId >= 0 && !isDiverted ? header.queueId : need.random.integer(0, topic.writeQueueNums - 1)
    // Which step of a transaction a record is, the broker says: what a client claims is not stored.
    let sysFlag = withTransactionType(header.sysFlag, 0)
    if (topic.topicFilterType === 'MULTI_TAG') sysFlag |= SysFlag.multiTags
    return header.batch === true
      ? ofBatch(header, sent, topic, { queueId, sysFlag })
      : ofOne(header, sent, topic, { queueId, sysFlag, isDiverted })
  }

  function ofOne(
    header: Header,
    sent: Sent,
    topic: TopicConfig,
    place: { readonly queueId: number; readonly sysFlag: number; readonly isDiverted: boolean },
  ): ReadySend {
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
      bornHost: bornHost(sent.connection),
      storeHost: identity.storeHost,
      reconsumeTimes: header.reconsumeTimes ?? 0,
      preparedTransactionOffset: 0,
      body: sent.body,
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
    return { drafts: [draft], queueId: place.queueId, uniqueKey, recallHandle, isEarly }
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

  function ofBatch(
    header: Header,
    sent: Sent,
    topic: TopicConfig,
    place: { readonly queueId: number; readonly sysFlag: number },
  ): ReadySend {
    if (isRetryTopic(header.topic)) {
      throw refusal('BROKER_MESSAGE_ILLEGAL', `batch request does not support retry group ${header.topic}`)
    }
    const origin = bornHost(sent.connection)
    const drafts = decodeBatch(sent.body, sent.place).map(
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
    return { drafts, queueId: place.queueId, uniqueKey, recallHandle: undefined, isEarly }
  }

  /** RocketMQ attachRecallHandle. */
  function recallHandleOf({ topic }: Header, draft: RecordDraft, uniqueKey: string): string | undefined {
    if (draft.topic !== SystemTopic.timer || isRetryTopic(topic)) return undefined
    const timestampMs = Number(findProperty(draft.properties, PropertyName.TIMER_OUT_MS)) + 1
    return encodeRecallHandle({ topic, brokerName: identity.brokerName, timestampMs, uniqueKey })
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
