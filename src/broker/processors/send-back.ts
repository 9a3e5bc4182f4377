/**
 * A consumer gives a message back: 36 (RocketMQ AbstractSendMessageProcessor.consumerSendMsgBack). It comes again over
 * the group's retry topic after a delay that grows, and ends in the dead-letter topic when it came too often. 45 tells
 * how far the delayed messages are delivered.
 */
import type { Random } from '../../lib/prng.ts'
import { encodeOffsetMessageId } from '../../message/message-id.ts'
import { findProperty, PropertyName, replaceProperty } from '../../message/properties.ts'
import { draftFrom } from '../../message/real-place.ts'
import { oneMoreTime } from '../../message/reconsume-times.ts'
import { decodeRecord, type RecordDraft, type StoredMessage } from '../../message/record.ts'
import { noDataVersion } from '../../remoting/bodies/data-version.ts'
import { DelayOffsetSerializeWrapper } from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { ConsumerSendMsgBackRequestHeader } from '../../remoting/headers/send.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import type { Admission } from '../log/admission.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import { putOf } from '../put.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import { delayedDraft, type DelayLevels } from '../timed/delay-levels.ts'
import type { DelayOffsets } from '../timed/delay-offsets.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Proposals } from '../needs.ts'
import { groupNotThere, type SubscriptionGroup } from '../tables/subscription-groups.ts'
import { isWritable, type TopicConfig } from '../tables/topics.ts'

export interface SendBackNeeds {
  readonly autoCreate: AutoCreate
  readonly store: { recordAt(offset: number): Promise<Buffer | undefined> }
  readonly proposals: Pick<Proposals, 'records'>
  readonly admission: Admission
  readonly delayLevels: DelayLevels
  readonly delayOffsets: DelayOffsets
  readonly stats: Pick<BrokerStats, 'put' | 'sentBack'>
  readonly identity: BrokerIdentity
  readonly random: Random
  readonly options: { readonly brokerPermission: number }
}

const UNIT_SUB_FLAG = 2
/** The first retry waits at this level, the next one at the level above it. */
const FIRST_DELAY_LEVEL = 3

export function sendBack(need: SendBackNeeds): Route<unknown>[] {
  const { autoCreate, identity, options } = need
  return [
    route({ code: RequestCode.CONSUMER_SEND_MSG_BACK, request: ConsumerSendMsgBackRequestHeader, handle }),
    route({
      code: RequestCode.GET_ALL_DELAY_OFFSET,
      request: EmptyHeader,
      handle: () => ({
        code: ResponseCode.SUCCESS,
        body: DelayOffsetSerializeWrapper.encode({ dataVersion: noDataVersion, offsetTable: need.delayOffsets.all() }),
      }),
    }),
  ]

  async function handle(header: ConsumerSendMsgBackRequestHeader): Promise<Reply> {
    const group = await autoCreate.group(header.group)
    if (group === undefined) throw groupNotThere(header.group)
    if ((options.brokerPermission & 2) === 0) {
      throw refusal('BROKER_NO_PERMISSION', `the broker[${identity.ip}] sending message is forbidden`)
    }
    if (group.retryQueueNums <= 0) return { code: ResponseCode.SUCCESS }
    const retryTopic = await autoCreate.retryTopic(group, { sysFlag: header.unitMode === true ? UNIT_SUB_FLAG : 0 })
    if (!isWritable(retryTopic)) {
      throw refusal('BROKER_NO_PERMISSION', `the topic[${retryTopic.topicName}] sending message is forbidden`)
    }
    const record = await need.store.recordAt(header.offset)
    if (record === undefined) throw refusal('BROKER_REFUSED', `look message by offset failed, ${header.offset}`)
    const message = decodeRecord(record, 0)
    const draft = await draftOf(header, { message, group, retryTopic })
    await stored(draft)
    const topic = findProperty(message.properties, PropertyName.RETRY_TOPIC) ?? message.topic
    need.stats.sentBack(topic, header.group)
    return { code: ResponseCode.SUCCESS }
  }

  async function draftOf(
    header: ConsumerSendMsgBackRequestHeader,
    given: { readonly message: StoredMessage; readonly group: SubscriptionGroup; readonly retryTopic: TopicConfig },
  ): Promise<RecordDraft> {
    const { message, group, retryTopic } = given
    const maxTimes = header.maxReconsumeTimes ?? group.retryMaxTimes
    const isOver = message.reconsumeTimes >= maxTimes || header.delayLevel < 0
    const asked = header.delayLevel === 0 ? FIRST_DELAY_LEVEL + message.reconsumeTimes : header.delayLevel
    const delayLevel = isOver ? 0 : Math.min(asked, need.delayLevels.max)
    const topic = isOver ? await autoCreate.dlqTopic(header.group) : retryTopic
    // A retry topic that a send made may have more queues than its group says.
    const queues = isOver ? topic.writeQueueNums : Math.min(topic.writeQueueNums, group.retryQueueNums)
    const draft = draftFrom(message, {
      topic: topic.topicName,
      queueId: need.random.integer(0, Math.max(0, queues - 1)),
      storeHost: identity.storeHost,
      reconsumeTimes: oneMoreTime(message.reconsumeTimes),
      preparedTransactionOffset: 0,
      properties: propertiesOf(message, delayLevel),
    })
    return delayLevel > 0 ? delayedDraft(draft, delayLevel) : draft
  }

  function stored(draft: RecordDraft): Promise<void> {
    need.admission.enter()
    return new Promise((resolve, reject) => {
      need.proposals.records([draft], (error) => {
        need.admission.leave()
        if (error !== undefined) return reject(error)
        need.stats.put(putOf([draft]))
        resolve()
      })
    })
  }
}

/** The message remembers where it came from first. */
function propertiesOf(message: StoredMessage, delayLevel: number): Buffer {
  let { properties } = message
  if (findProperty(properties, PropertyName.RETRY_TOPIC) === undefined) {
    properties = replaceProperty(properties, PropertyName.RETRY_TOPIC, message.topic)
  }
  if (findProperty(properties, PropertyName.ORIGIN_MESSAGE_ID) === undefined) {
    const id = encodeOffsetMessageId(message.storeHost, message.offset)
    properties = replaceProperty(properties, PropertyName.ORIGIN_MESSAGE_ID, id)
  }
  properties = replaceProperty(properties, PropertyName.WAIT, 'false')
  return replaceProperty(properties, PropertyName.DELAY, String(delayLevel))
}
