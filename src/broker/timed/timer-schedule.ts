/**
 * Messages that wait for a time of their own (RocketMQ TimerMessageStore): delivered when they are due, taken back, and
 * stored again before retention would drop them. The leader decides; what it does and that they wait no more are one
 * entry, so that after a failover nothing is delivered again and nothing is left out.
 */
import { type Clock, sleep, type Timer } from '../../lib/clock.ts'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { findProperty, PropertyName } from '../../message/properties.ts'
import { decodeRecord, type RecordDraft, recordLength, type StoredMessage } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import type { PendingTimer, RemovalWatch, TimerIndex } from '../../store/timer-index.ts'
import { Claims } from '../log/claims.ts'
import { refusal } from '../errors.ts'
import type { Leadership, Proposals } from '../needs.ts'
import { deliveredTimer, rolledTimer } from './timer-messages.ts'
import { removeTimers } from './timer-removals.ts'
import type { Topics } from '../tables/topics.ts'

export interface TimerScheduleNeeds {
  readonly timers: Pick<TimerIndex, 'due' | 'at' | 'before' | 'watch' | 'earliestMs' | 'findEarliest'>
  readonly store: { recordAt(offset: number): Promise<Buffer | undefined> }
  readonly proposals: Pick<Proposals, 'commandWithRecords'>
  readonly leadership: Pick<Leadership, 'isReady' | 'term'>
  readonly topics: Pick<Topics, 'has'>
  readonly clock: Clock
  readonly log: Log
}

interface Waiting {
  readonly timer: PendingTimer
  /** Undefined: nothing that can be read lies there. */
  readonly message: StoredMessage | undefined
}

export interface WantedTimer {
  readonly topic: string
  readonly uniqueKey: string
  readonly dueMs: number
}

interface Entry {
  readonly timers: readonly PendingTimer[]
  readonly drafts: readonly RecordDraft[]
  readonly until: number
}

type Make = (message: StoredMessage) => RecordDraft | undefined

const TICK_MS = 100
/** Read ahead from the index. */
const LIST_TIMERS = 4_096
/** Stored again before the index is asked anew. */
const BATCH_MESSAGES = 1_024
/** Records of one entry; a single one may be larger. */
const BATCH_BYTES = 512 * 1024
/** Records in memory at once. */
const READ_AT_ONCE = 64
/** A message about which an entry is in flight is looked at again after so long, so often. */
const CLAIMED_WAIT_MS = 20
const CLAIMED_WAITS = 100
/** Messages due in one millisecond that a recall looks through. */
const RECALL_TIMERS = 65_536

export class TimerSchedule {
  readonly #need: TimerScheduleNeeds
  /** Timers, by offset, that an entry in flight removes. */
  readonly #claims: Claims<number>
  readonly #timer: Timer
  #isBusy = false

  constructor(need: TimerScheduleNeeds) {
    this.#need = need
    this.#claims = new Claims(need.leadership)
    this.#timer = need.clock.every(TICK_MS, () => this.#tick())
  }

  close(): void {
    this.#timer.cancel()
  }

  /**
   * Takes back the message that is due at `dueMs`: no copy of it is delivered. False: none such waits (any more).
   * Rejects with BROKER_BUSY while an entry about it is in flight, or as `Proposals.commandWithRecords` does.
   */
  async recall(wanted: WantedTimer): Promise<boolean> {
    for (let waits = 0; waits < CLAIMED_WAITS; waits++) {
      const found = await this.#recallOnce(wanted)
      if (found !== 'claimed') return found === 'recalled'
      await sleep(this.#need.clock, CLAIMED_WAIT_MS)
    }
    throw refusal('BROKER_BUSY', 'the message is just being delivered, taken back, or stored again')
  }

  /** Stores again what waits in records before `offset`. Resolves with the first offset that is still waited for. */
  async keepBefore(offset: number): Promise<number> {
    const { timers } = this.#need
    for (;;) {
      const watch = timers.watch()
      try {
        const found = await timers.before(offset, BATCH_MESSAGES)
        const first = found[0]
        if (first === undefined) return Infinity
        // What others are about to remove is looked at again by the next round of retention.
        if ((await this.#removeAll(found, watch, rolledTimer)) === 0) return first.offset
      } finally {
        watch.end()
      }
    }
  }

  #tick(): void {
    const { leadership, timers, clock, log } = this.#need
    if (this.#isBusy || !leadership.isReady || timers.earliestMs > clock.nowMs()) return
    this.#isBusy = true
    this.#deliverDue()
      .catch((error: unknown) => {
        if (errorCode(error) === 'RMQ_ASSERTION') throw error
        log.warn({ error: errorMessage(error) }, 'messages that are due are delivered later')
      })
      .finally(() => {
        this.#isBusy = false
      })
  }

  async #deliverDue(): Promise<void> {
    const { leadership, timers, clock } = this.#need
    const { term } = leadership
    const leads = (): boolean => leadership.isReady && leadership.term === term
    while (leads()) {
      const watch = timers.watch()
      try {
        const due = await timers.due(clock.nowMs(), LIST_TIMERS)
        if (due.length === 0) return await timers.findEarliest()
        const delivered = await this.#removeAll(due, watch, (message) => this.#delivered(message))
        // Others are about to remove all that is due, or their fate is not known.
        if (delivered === 0) return
      } finally {
        watch.end()
      }
    }
  }

  /** The message for its topic; undefined when that was deleted meanwhile, and took its waiting messages with it. */
  #delivered(message: StoredMessage): RecordDraft | undefined {
    const { topics, clock } = this.#need
    const draft = deliveredTimer(message, clock.nowMs())
    return draft !== undefined && topics.has(draft.topic) ? draft : undefined
  }

  /** Ends the waiting of `timers`, storing what `make` makes of each. Returns how many it ended. */
  async #removeAll(timers: readonly PendingTimer[], watch: RemovalWatch, make: Make): Promise<number> {
    const { leadership } = this.#need
    const { term } = leadership
    let count = 0
    for (let from = 0; from < timers.length; from += READ_AT_ONCE) {
      const read = await Promise.all(timers.slice(from, from + READ_AT_ONCE).map((timer) => this.#read(timer)))
      for (let at = 0; at < read.length; ) {
        if (!leadership.isReady || leadership.term !== term) return count
        const entry = this.#entryOf(read, at, watch, make)
        at = entry.until
        if (entry.timers.length > 0) await this.#propose(entry.timers, entry.drafts)
        count += entry.timers.length
      }
    }
    return count
  }

  /** One entry's worth of `read`, from `at` on. */
  #entryOf(read: readonly Waiting[], at: number, watch: RemovalWatch, make: Make): Entry {
    const timers: PendingTimer[] = []
    const drafts: RecordDraft[] = []
    let bytes = 0
    let until = at
    for (; until < read.length && bytes < BATCH_BYTES; until++) {
      const waiting = read[until]
      if (waiting === undefined || !this.#isFree(waiting.timer, watch)) continue
      timers.push(waiting.timer)
      const { message, timer } = waiting
      if (message === undefined) this.#need.log.error({ offset: timer.offset }, 'a message that waits cannot be read')
      const draft = message === undefined ? undefined : make(message)
      if (draft === undefined) continue
      drafts.push(draft)
      bytes += recordLength(draft)
    }
    return { timers, drafts, until }
  }

  async #recallOnce(wanted: WantedTimer): Promise<'recalled' | 'claimed' | 'none'> {
    const watch = this.#need.timers.watch()
    try {
      const found: PendingTimer[] = []
      for (const timer of await this.#need.timers.at(wanted.dueMs, RECALL_TIMERS)) {
        const { message } = await this.#read(timer)
        // More than one when the sender repeated a send whose answer was lost.
        if (message !== undefined && isWanted(message, wanted)) found.push(timer)
      }
      if (found.length === 0) return 'none'
      // Removed meanwhile: it may have been stored again.
      if (!found.every((timer) => this.#isFree(timer, watch))) return 'claimed'
      await this.#propose(found, [])
      return 'recalled'
    } finally {
      watch.end()
    }
  }

  #isFree(timer: PendingTimer, watch: RemovalWatch): boolean {
    return !this.#claims.has(timer.offset) && !watch.has(timer.offset)
  }

  /** Nothing may be awaited between `#isFree` and this. */
  async #propose(timers: readonly PendingTimer[], drafts: readonly RecordDraft[]): Promise<void> {
    const release = this.#claims.take(timers.map(({ offset }) => offset))
    try {
      await this.#need.proposals.commandWithRecords(removeTimers(timers), drafts)
    } catch (error) {
      // What may be in the log is not proposed again before its fate is known.
      if (errorCode(error) !== 'BROKER_UNDECIDED') release()
      throw error
    }
    release()
  }

  async #read(timer: PendingTimer): Promise<Waiting> {
    const record = await this.#need.store.recordAt(timer.offset)
    const message = record === undefined ? undefined : decodeRecord(record, 0)
    return { timer, message: message?.topic === SystemTopic.timer ? message : undefined }
  }
}

function isWanted(message: StoredMessage, wanted: WantedTimer): boolean {
  const { properties } = message
  return (
    findProperty(properties, PropertyName.UNIQ_KEY) === wanted.uniqueKey &&
    findProperty(properties, PropertyName.REAL_TOPIC) === wanted.topic
  )
}
