/**
 * Sends to many queues at once: 700_021, RaftMQ's own. With one queue in a request, a producer of many topics costs a
 * request for every message; here each part is what a batch send (320) would have been, and is answered by itself. Parts
 * that may be stored go into the log together. Without parts it asks whether this broker knows the request.
 */
import { assert } from '../../lib/assert.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorCode } from '../../lib/errors.ts'
import { encodeOffsetMessageId } from '../../message/message-id.ts'
import { decodeSendParts, encodePartAnswers, type PartAnswer, type SendPart } from '../../message/send-parts.ts'
import { RaftmqCode, ResponseCode } from '../../remoting/codes.ts'
import { type SendMessageRequestHeader, SendToManyQueuesRequestHeader } from '../../remoting/headers/send.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import { errorReply } from '../response-codes.ts'
import { fail, type Recover } from './failure.ts'
import { PartAnswers } from './part-answers.ts'
import { type ReadySend, sendDrafts, type SendDraftsNeeds, type Sent } from './send-drafts.ts'
import { sendStore, type SendStoreNeeds } from './send-store.ts'

export type SendManyNeeds = SendDraftsNeeds &
  SendStoreNeeds & {
    readonly recover: Recover
    readonly clock: Clock
    /** `decideWithinMs`: after this long all parts are answered, decided or not. */
    readonly options: { readonly decideWithinMs: number }
  }

type Header = SendToManyQueuesRequestHeader

/** Hex digits of an offset at the end of an offset message id. */
const OFFSET_DIGITS = 16

export function sendMany(need: SendManyNeeds): Route<unknown>[] {
  const { clock, identity, options } = need
  const drafts = sendDrafts(need)
  const store = sendStore(need)
  const storeHost = encodeOffsetMessageId(identity.storeHost, 0).slice(0, -OFFSET_DIGITS)

  return [route({ code: RaftmqCode.SEND_TO_MANY_QUEUES, request: SendToManyQueuesRequestHeader, handle })]

  function handle(header: Header, call: Call): Reply | undefined {
    if (call.body.length > options.maxMessageSize) {
      throw refusal('BROKER_MESSAGE_ILLEGAL', `the parts are over ${options.maxMessageSize} bytes together`)
    }
    const parts = decodeSendParts(call.body)
    if (parts.length === 0) return replyOf([])
    store.checkRoom(call.body.length)
    const ready: ReadySend[] = []
    const places: number[] = []
    const unprepared: { readonly at: number; readonly part: SendPart }[] = []
    let overdue: Timer | undefined
    const answers = new PartAnswers(parts.length, (all) => {
      overdue?.cancel()
      call.respond(replyOf(all))
    })
    call.hold()
    for (const [at, part] of parts.entries()) {
      try {
        const own = headerOf(header, part)
        const topic = drafts.ready(own)
        if (topic === undefined) unprepared.push({ at, part })
        else {
          ready.push(drafts.of(own, sentBy(call, part), topic))
          places.push(at)
        }
      } catch (error) {
        answers.settle(at, refusedPart(error))
      }
    }
    if (ready.length > 0) {
      storeParts(ready, places, answers, (error) => {
        // Nothing of the request was done: it may be done elsewhere, as any other send.
        if (ready.length === parts.length) {
          answers.drop()
          fail(need.recover, call, error)
        } else for (const at of places) answers.settle(at, refusedPart(error))
      })
    }
    if (unprepared.length === 0) return undefined
    // No part waits for a topic that is made first any longer than a send of its own may wait.
    overdue = clock.after(options.decideWithinMs, () =>
      answers.settleRest(refusedPart(refusal('BROKER_UNDECIDED', 'not every part was decided in time'))),
    )
    void prepareAndStore(header, call, unprepared, answers)
    return undefined
  }

  function storeParts(
    ready: readonly ReadySend[],
    places: readonly number[],
    answers: PartAnswers,
    failed: (error: unknown) => void,
  ): void {
    // The drafts are let go once they are encoded: there are many, and they would wait for their fate here.
    const queueIds = ready.map((send) => send.queueId)
    const counts = ready.map((send) => send.drafts.length)
    const records = counts.reduce((sum, count) => sum + count, 0)
    try {
      store.put(ready, (error, stored, code) => {
        if (stored === undefined) return failed(error)
        assert(stored.length === records, 'every record of the parts has a place')
        let from = 0
        for (let n = 0; n < queueIds.length; n++) {
          const queueOffset = stored[from]?.queueOffset ?? 0
          const offsets: number[] = []
          for (const end = from + (counts[n] ?? 0); from < end; from++) offsets.push(stored[from]?.offset ?? 0)
          answers.settle(places[n] ?? 0, { code, queueId: queueIds[n] ?? 0, queueOffset, offsets })
        }
      })
    } catch (error) {
      failed(error)
    }
  }

  /** Parts whose topic has to be made first; they keep their order, for several may be of one queue. */
  async function prepareAndStore(
    header: Header,
    call: Call,
    late: readonly { readonly at: number; readonly part: SendPart }[],
    answers: PartAnswers,
  ): Promise<void> {
    const topics = await Promise.allSettled(late.map(({ part }) => drafts.prepare(headerOf(header, part))))
    const ready: ReadySend[] = []
    const places: number[] = []
    for (const [n, { at, part }] of late.entries()) {
      const topic = topics[n]
      try {
        if (topic?.status !== 'fulfilled') throw topic?.reason
        ready.push(drafts.of(headerOf(header, part), sentBy(call, part), topic.value))
        places.push(at)
      } catch (error) {
        answers.settle(at, refusedPart(error))
      }
    }
    if (ready.length === 0) return
    storeParts(ready, places, answers, (error) => {
      for (const at of places) answers.settle(at, refusedPart(error))
    })
  }

  function replyOf(answers: readonly PartAnswer[]): Reply {
    return { code: ResponseCode.SUCCESS, header: { storeHost }, body: encodePartAnswers(answers) }
  }
}

/** The part as a batch send of its own. */
function headerOf(header: Header, part: SendPart): SendMessageRequestHeader {
  return {
    producerGroup: header.producerGroup,
    topic: part.topic,
    defaultTopic: header.defaultTopic,
    defaultTopicQueueNums: header.defaultTopicQueueNums,
    queueId: part.queueId,
    sysFlag: 0,
    bornTimestamp: part.bornMs,
    flag: 0,
    properties: undefined,
    reconsumeTimes: 0,
    unitMode: false,
    maxReconsumeTimes: undefined,
    batch: true,
    brokerName: undefined,
  }
}

function sentBy({ body, connection }: Call, place: SendPart): Sent {
  return { body, connection, place }
}

/** Rethrows broken invariants: those end the node. */
function refusedPart(error: unknown): PartAnswer {
  if (errorCode(error) === 'RMQ_ASSERTION') throw error
  const { code, remark = '' } = errorReply(error)
  return { code, remark }
}
