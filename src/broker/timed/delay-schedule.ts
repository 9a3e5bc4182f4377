/**
 * Delivers delayed messages when they are due (RocketMQ ScheduleMessageService). The leader decides; what it delivers and
 * how far it got are one entry, so that after a failover nothing is delivered again and nothing is left out.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { decodeRecords, type RecordDraft, type StoredMessage } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import type { PullRequest, PullResult } from '../../store/consume-queue-pull.ts'
import { deliveredDraft, delayQueueId, type DelayLevels } from './delay-levels.ts'
import type { DelayOffsets } from './delay-offsets.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { Topics } from '../tables/topics.ts'

export interface DelayScheduleNeeds {
  readonly offsets: DelayOffsets
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    pull(request: PullRequest): PullResult | Promise<PullResult>
  }
  readonly proposals: Pick<Proposals, 'command' | 'commandWithRecords'>
  readonly leadership: Pick<Leadership, 'isReady' | 'term'>
  readonly topics: Pick<Topics, 'has'>
  readonly levels: DelayLevels
  readonly clock: Clock
  readonly log: Log
}

interface Level {
  readonly level: number
  isBusy: boolean
  /** The first message that is not due: its queueOffset, and when it is due on the monotonic clock. */
  head: { readonly queueOffset: number; readonly dueMs: number } | undefined
  /** A delivery whose fate is not known: nothing more is delivered until it is, or another term began. */
  undecided: { readonly term: number; readonly next: number } | undefined
}

/** RocketMQ's DELAY_FOR_A_WHILE. */
const TICK_MS = 100
/** Delivered in one entry. */
const BATCH_MESSAGES = 64
const BATCH_BYTES = 256 * 1024

export class DelaySchedule {
  readonly #need: DelayScheduleNeeds
  readonly #levels: readonly Level[]
  readonly #timer: Timer
  #term = -1

  constructor(need: DelayScheduleNeeds) {
    this.#need = need
    this.#levels = Array.from({ length: need.levels.max }, (_, at) => ({
      level: at + 1,
      isBusy: false,
      head: undefined,
      undecided: undefined,
    }))
    this.#timer = need.clock.every(TICK_MS, () => this.#tick())
  }

  close(): void {
    this.#timer.cancel()
  }

  #tick(): void {
    const { leadership, log } = this.#need
    if (!leadership.isReady) return
    if (this.#term !== leadership.term) {
      this.#term = leadership.term
      for (const level of this.#levels) level.undecided = undefined
    }
    for (const level of this.#levels) {
      if (level.isBusy || !this.#mayBeDue(level)) continue
      level.isBusy = true
      this.#deliverDue(level)
        .catch((error: unknown) => {
          if (errorCode(error) === 'RMQ_ASSERTION') throw error
          log.warn({ level: level.level, error: errorMessage(error) }, 'delayed messages are delivered later')
        })
        .finally(() => {
          level.isBusy = false
        })
    }
  }

  /** Whether it is worth reading the level's queue now. */
  #mayBeDue(level: Level): boolean {
    const { offsets, clock } = this.#need
    if (level.undecided !== undefined) {
      if (offsets.get(level.level) < level.undecided.next) return false
      level.undecided = undefined
    }
    const from = this.#nextOf(level)
    if (from === undefined) return false
    return level.head?.queueOffset !== from || level.head.dueMs <= clock.monotonicMs()
  }

  /** The queueOffset to deliver next; undefined when nothing waits. */
  #nextOf(level: Level): number | undefined {
    const bounds = this.#need.store.queueBounds(SystemTopic.schedule, delayQueueId(level.level))
    if (bounds === undefined) return undefined
    const from = Math.max(this.#need.offsets.get(level.level), bounds.min)
    return from < bounds.max ? from : undefined
  }

  async #deliverDue(level: Level): Promise<void> {
    const { leadership, store } = this.#need
    const { term } = leadership
    for (;;) {
      const from = this.#nextOf(level)
      if (from === undefined) return
      const read = await store.pull({
        topic: SystemTopic.schedule,
        queueId: delayQueueId(level.level),
        queueOffset: from,
        maxCount: BATCH_MESSAGES,
        maxBytes: BATCH_BYTES,
      })
      if (!leadership.isReady || leadership.term !== term || read.status !== 'found') return
      const due = this.#due(
        level,
        read.slices.flatMap((slice) => decodeRecords(slice)),
      )
      const last = due.at(-1)
      if (last === undefined) return
      if (!(await this.#deliver(level, due, last.queueOffset + 1))) return
      if (!leadership.isReady || leadership.term !== term || this.#nextOf(level) === from) return
    }
  }

  /** Those of `waiting`, from its first on, whose time has come; notes when the next one's will. */
  #due(level: Level, waiting: readonly StoredMessage[]): StoredMessage[] {
    const { clock, levels } = this.#need
    const delayMs = levels.delayMs(level.level)
    const due: StoredMessage[] = []
    for (const message of waiting) {
      const isKnownHead = level.head?.queueOffset === message.queueOffset
      // A wall clock that went back must not keep a message for longer than its delay, counted from here.
      const leftMs = Math.min(delayMs, message.storeTimestampMs + delayMs - clock.nowMs())
      const dueMs = isKnownHead ? (level.head?.dueMs ?? 0) : clock.monotonicMs() + leftMs
      if (dueMs > clock.monotonicMs()) {
        level.head = { queueOffset: message.queueOffset, dueMs }
        break
      }
      due.push(message)
    }
    return due
  }

  /** Returns whether it is done; false when that is not known. */
  async #deliver(level: Level, due: readonly StoredMessage[], next: number): Promise<boolean> {
    const { offsets, proposals, topics, leadership } = this.#need
    const drafts: RecordDraft[] = []
    for (const message of due) {
      const draft = deliveredDraft(message)
      // A topic that was deleted meanwhile takes its waiting messages with it.
      if (draft !== undefined && topics.has(draft.topic)) drafts.push(draft)
    }
    const command = offsets.advance(level.level, next)
    const { term } = leadership
    try {
      if (drafts.length > 0) await proposals.commandWithRecords(command, drafts)
      else await proposals.command(command)
      return true
    } catch (error) {
      if (errorCode(error) !== 'BROKER_UNDECIDED') throw error
      level.undecided = { term, next }
      return false
    }
  }
}
