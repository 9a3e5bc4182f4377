/**
 * What was popped and not acknowledged in time comes again (RocketMQ PopReviveService): the leader stores the message in
 * the group's retry topic and ends its part of the checkpoint in the same entry. After a failover the next leader finds
 * the checkpoints that are left, so a message comes again once and not much later than it was to be.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { decodeProperties, encodeProperties, PropertyName } from '../../message/properties.ts'
import { draftFrom } from '../../message/real-place.ts'
import { oneMoreTime } from '../../message/reconsume-times.ts'
import { decodeRecord, type RecordDraft } from '../../message/record.ts'
import { isRetryTopic } from '../../message/topic-name.ts'
import type { PullRequest, PullResult } from '../../store/consume-queue-pull.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { Claims } from '../log/claims.ts'
import type { Leadership, Proposals } from '../needs.ts'
import { topicConfig } from '../tables/topics.ts'
import { type AcksInFlight, messageKey } from './acks-in-flight.ts'
import { type Checkpoint, type PopCheckpoints, popCommands } from './checkpoints.ts'
import { popRetryTopic } from './receipt.ts'

export interface PopRevivalNeeds {
  readonly checkpoints: PopCheckpoints
  /** What this leader has proposed to let come again, by `messageKey`. */
  readonly claims: Claims<string>
  /** Acknowledgements on their way: their messages are left alone. */
  readonly acks: Pick<AcksInFlight, 'has'>
  readonly proposals: Pick<Proposals, 'commandWithRecords'>
  readonly store: { pull(request: PullRequest): PullResult | Promise<PullResult> }
  readonly autoCreate: Pick<AutoCreate, 'topic'>
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly clock: Clock
  readonly log: Log
  readonly options: { readonly enableRetryTopicV2: boolean }
}

interface Due {
  readonly checkpoint: Checkpoint
  readonly offset: number
  readonly draft: RecordDraft | undefined
}

const PERIOD_MS = 200
const MESSAGES_PER_ENTRY = 64
const BYTES_PER_ENTRY = 1 << 20

export class PopRevival {
  readonly #need: PopRevivalNeeds
  readonly #timer: Timer
  #isRunning = false

  constructor(need: PopRevivalNeeds) {
    this.#need = need
    this.#timer = need.clock.every(PERIOD_MS, () => void this.run())
  }

  /** On a ready leader: lets come again what is due. Never rejects: what could not be done is due at the next run. */
  async run(): Promise<void> {
    const { checkpoints, leadership, log, clock } = this.#need
    if (this.#isRunning || !leadership.isReady) return
    this.#isRunning = true
    try {
      const nowMs = clock.nowMs()
      const due = Array.from(checkpoints.all()).filter(({ popTimeMs, invisibleMs }) => popTimeMs + invisibleMs <= nowMs)
      let gathered: Due[] = []
      let bytes = 0
      for (const checkpoint of due) {
        for (const offset of Array.from(checkpoint.pending)) {
          const draft = await this.#draft(checkpoint, offset)
          gathered.push({ checkpoint, offset, draft })
          bytes += draft?.body.length ?? 0
          if (gathered.length < MESSAGES_PER_ENTRY && bytes < BYTES_PER_ENTRY) continue
          await this.#revive(gathered)
          gathered = []
          bytes = 0
        }
      }
      await this.#revive(gathered)
    } catch (error) {
      if (errorCode(error) === 'RMQ_ASSERTION') throw error
      log.debug({ reason: errorMessage(error) }, 'messages could not come again')
    } finally {
      this.#isRunning = false
    }
  }

  close(): void {
    this.#timer.cancel()
  }

  async #revive(due: readonly Due[]): Promise<void> {
    const { checkpoints, claims, acks, proposals, leadership } = this.#need
    // Looked at again: while the disk was read, some were acknowledged, and some acknowledgements are on their way.
    const left = due.filter(({ checkpoint, offset }) => {
      const isPending = checkpoints.get(checkpoint.key)?.pending.has(offset) === true
      const key = messageKey(checkpoint.key, offset)
      return isPending && !claims.has(key) && !acks.has(key)
    })
    if (left.length === 0 || !leadership.isReady) return
    const release = claims.take(left.map(({ checkpoint, offset }) => messageKey(checkpoint.key, offset)))
    const ends = new Map<string, number[]>()
    for (const { checkpoint, offset } of left) ends.set(checkpoint.key, [...(ends.get(checkpoint.key) ?? []), offset])
    const drafts = left.flatMap(({ draft }) => (draft === undefined ? [] : [draft]))
    try {
      await proposals.commandWithRecords(popCommands.revive([...ends]), drafts)
      release()
    } catch (error) {
      // What may be in the log is not proposed again by this leader: the claim stays.
      if (errorCode(error) !== 'BROKER_UNDECIDED') release()
      throw error
    }
  }

  /** The message as it comes again; undefined when it left the log: then its checkpoint just ends. */
  async #draft({ topic, group, queueId, popTimeMs }: Checkpoint, offset: number): Promise<RecordDraft | undefined> {
    const { store, options, autoCreate } = this.#need
    const read = await store.pull({ topic, queueId, queueOffset: offset, maxCount: 1, maxBytes: 1 })
    const record = read.status === 'found' ? read.slices[0] : undefined
    if (record === undefined) return undefined
    const message = decodeRecord(record, 0)
    const retry = isRetryTopic(topic) ? topic : popRetryTopic(topic, group, options.enableRetryTopicV2)
    await autoCreate.topic(topicConfig(retry, { readQueueNums: 1, writeQueueNums: 1 }))
    const properties = decodeProperties(message.properties)
    properties.delete(PropertyName.POP_CK)
    if (!properties.has(PropertyName.FIRST_POP_TIME)) properties.set(PropertyName.FIRST_POP_TIME, String(popTimeMs))
    if (!properties.has(PropertyName.RETRY_TOPIC)) properties.set(PropertyName.RETRY_TOPIC, topic)
    return draftFrom(message, {
      topic: retry,
      queueId: 0,
      reconsumeTimes: oneMoreTime(message.reconsumeTimes),
      preparedTransactionOffset: 0,
      properties: encodeProperties(properties),
    })
  }
}
