/**
 * Acknowledgements of popped messages: 200051, 200053, 200151 (RocketMQ AckMessageProcessor,
 * ChangeInvisibleTimeProcessor). A receipt of nothing that is in flight, because it was acknowledged before or came too
 * late, is answered with success and changes nothing, as in RocketMQ; but not before this node is sure that it leads.
 */
import type { Clock } from '../../lib/clock.ts'
import { BatchAckMessageRequestBody } from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { AckMessageRequestHeader, ChangeInvisibleTimeRequestHeader } from '../../remoting/headers/pop.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import type { Leadership } from '../needs.ts'
import { type AcksInFlight, messageKey } from '../pop/acks-in-flight.ts'
import { checkpointKey, type PopChange, type PopCheckpoints, popChanges } from '../pop/checkpoints.ts'
import type { PopHold } from '../pop/hold.ts'
import { orderChanges } from '../pop/ordered-pops.ts'
import type { PopQueue } from '../pop/pop-queue.ts'
import type { PopProposer } from '../pop/proposer.ts'
import { hasBit, ORDER_REVIVE_QID, parseReceipt, type Receipt, topicOfFlag } from '../pop/receipt.ts'
import type { Topics } from '../tables/topics.ts'

export interface PopAckNeeds {
  readonly topics: Topics
  readonly checkpoints: PopCheckpoints
  readonly proposer: PopProposer
  readonly acks: AcksInFlight
  readonly popHold: PopHold
  readonly leadership: Pick<Leadership, 'readBarrier'>
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
  }
  readonly clock: Clock
}

const done: Reply = { code: ResponseCode.SUCCESS }
/** Acknowledgements of one batch, and bits of one of them: far more than one pop gives. */
const ACKS_MAX = 1_000
const INVISIBLE_MAX_MS = 365 * 86_400_000

export function popAck(need: PopAckNeeds): Route<unknown>[] {
  const { topics, checkpoints, proposer, leadership, store, clock } = need

  return [
    route({ code: RequestCode.ACK_MESSAGE, request: AckMessageRequestHeader, handle: ack }),
    route({ code: RequestCode.BATCH_ACK_MESSAGE, request: EmptyHeader, handle: ackAll }),
    route({
      code: RequestCode.CHANGE_MESSAGE_INVISIBLETIME,
      request: ChangeInvisibleTimeRequestHeader,
      handle: changeInvisible,
    }),
  ]

  async function ack(header: AckMessageRequestHeader): Promise<Reply> {
    const queue = checkedQueue(header)
    const receipt = parseReceipt(header.extraInfo)
    await acknowledge(queue, receipt, [header.offset])
    return done
  }

  async function ackAll(_header: unknown, call: Call): Promise<Reply> {
    const acks = call.body.length === 0 ? [] : BatchAckMessageRequestBody.decode(call.body).acks
    if (acks.length === 0) return { code: ResponseCode.NO_MESSAGE }
    if (acks.length > ACKS_MAX) throw refusal('BROKER_INVALID_PARAMETER', `more than ${ACKS_MAX} acknowledgements`)
    await Promise.all(
      acks.map(async ({ c: group, t, r, so: start, q: queueId, rq: reviveQid, pt: popTimeMs, it: invisibleMs, b }) => {
        const queue = { topic: topicOfFlag(r, t, group), group, queueId }
        const bits = Buffer.from(b ?? '', 'base64')
        const offsets = Array.from({ length: Math.min(bits.length * 8, ACKS_MAX) }, (_, bit) => bit)
          .filter((bit) => hasBit(bits, bit))
          .map((bit) => start + bit)
        await acknowledge(queue, { start, popTimeMs, invisibleMs, reviveQid }, offsets)
      }),
    )
    return done
  }

  async function acknowledge(queue: PopQueue, receipt: Receipt, offsets: readonly number[]): Promise<void> {
    if (receipt.reviveQid === ORDER_REVIVE_QID) {
      await Promise.all(offsets.map((offset) => proposer.propose(orderChanges.ack(queue, receipt.popTimeMs, offset))))
      // What came behind may be popped now.
      need.popHold.wake(queue.topic, queue.group)
      return
    }
    const key = checkpointKey(queue, receipt.start, receipt.popTimeMs)
    const inFlight = (): readonly number[] => {
      const pending = checkpoints.get(key)?.pending
      return offsets.filter((offset) => pending?.has(offset) === true)
    }
    // A leader that stood still while another gave the message out knows nothing of it, and does not know that.
    if (inFlight().length < offsets.length) await leadership.readBarrier()
    const left = inFlight()
    if (left.length > 0) await change(key, left, popChanges.ack(key, left))
  }

  async function changeInvisible(header: ChangeInvisibleTimeRequestHeader): Promise<Reply> {
    const queue = checkedQueue(header)
    const receipt = parseReceipt(header.extraInfo)
    const { offset, invisibleTime } = header
    if (!(invisibleTime >= 0 && invisibleTime <= INVISIBLE_MAX_MS)) {
      throw refusal('BROKER_INVALID_PARAMETER', `invisibleTime ${invisibleTime} is impossible`)
    }
    const { popTimeMs, reviveQid } = receipt
    const nowMs = clock.nowMs()
    if (reviveQid === ORDER_REVIVE_QID) {
      const visibleMs = nowMs + invisibleTime
      await proposer.propose(orderChanges.move(queue, popTimeMs, { offset, visibleMs }))
      const header = { popTime: popTimeMs, invisibleTime: visibleMs - popTimeMs, reviveQid }
      return { code: ResponseCode.SUCCESS, header }
    }
    const key = checkpointKey(queue, receipt.start, popTimeMs)
    const inFlight = (): boolean => checkpoints.get(key)?.pending.has(offset) === true
    if (!inFlight()) await leadership.readBarrier()
    const isPending = inFlight()
    // The key of what it becomes must not be that of what it is.
    const movedMs = Math.max(nowMs, popTimeMs + 1)
    if (isPending) await change(key, [offset], popChanges.move(key, offset, movedMs, invisibleTime))
    // Asked again, because the answer of a leader before was lost: the receipt must be of where the message is now.
    const moved = isPending ? undefined : checkpoints.movedTo(queue, offset, popTimeMs)
    if (moved !== undefined) {
      const header = { popTime: moved.popTimeMs, invisibleTime: moved.invisibleMs, reviveQid }
      return { code: ResponseCode.SUCCESS, header }
    }
    return { code: ResponseCode.SUCCESS, header: { popTime: movedMs, invisibleTime, reviveQid } }
  }

  async function change(key: string, offsets: readonly number[], wanted: PopChange): Promise<void> {
    const keys = offsets.map((offset) => messageKey(key, offset))
    await need.acks.during(keys, () => proposer.propose(wanted))
  }

  /** RocketMQ's checks of what a receipt is for. */
  function checkedQueue(header: AckMessageRequestHeader): PopQueue {
    const { topic, queueId, offset, consumerGroup: group } = header
    const row = topics.get(topic)
    if (row === undefined) throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${topic}] not exist, apply first please! `)
    if (queueId < 0 || queueId >= row.readQueueNums) {
      throw refusal(
        'BROKER_MESSAGE_ILLEGAL',
        `queueId[${queueId}] is illegal, topic:[${topic}] topicConfig.readQueueNums:[${row.readQueueNums}]`,
      )
    }
    const { min, max } = store.queueBounds(topic, queueId) ?? { min: 0, max: 0 }
    if (offset < min || offset > max) {
      throw refusal(
        'BROKER_NO_MESSAGE',
        `offset is illegal, key:${topic}@${queueId}, commit:${offset}, store:${min}~${max}`,
      )
    }
    return { topic, group, queueId }
  }
}
