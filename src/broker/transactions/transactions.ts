/**
 * Ends of transactions (RocketMQ EndTransactionProcessor). What ends a half, the record that tells stock tools so, and
 * the message that a commit makes are one entry: it is applied once, however often the producer says so and whoever
 * leads meanwhile. Ends of one turn of the event loop share entries.
 */
import { type Clock, sleep } from '../../lib/clock.ts'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { findProperty, PropertyName } from '../../message/properties.ts'
import { realPlace } from '../../message/real-place.ts'
import { decodeRecord, type Host, type RecordDraft, recordLength, type StoredMessage } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import type { KeyQuery, KeyResult } from '../../store/key-query.ts'
import type { Claims } from '../log/claims.ts'
import { refusal } from '../errors.ts'
import { committedDraft, immunityMs, opDraft, originOf } from './half-messages.ts'
import type { Proposals } from '../needs.ts'
import { putOf } from '../put.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import type { PendingHalves } from './pending-halves.ts'
import type { Topics } from '../tables/topics.ts'

export interface TransactionsNeeds {
  readonly halves: PendingHalves
  /** Halves that an entry in flight ends or moves, by queueOffset. */
  readonly claims: Claims<number>
  readonly store: {
    recordAt(offset: number): Promise<Buffer | undefined>
    byKey(query: KeyQuery): Promise<KeyResult>
  }
  readonly proposals: Pick<Proposals, 'commandWithRecords'>
  readonly topics: Pick<Topics, 'has'>
  /** The message as it is stored: under its topic, or where it waits for its time. */
  readonly placed: (draft: RecordDraft) => RecordDraft
  readonly stats: Pick<BrokerStats, 'put'>
  readonly clock: Clock
  readonly storeHost: Host
  readonly options: { readonly transactionTimeOut: number }
}

/** What a producer says about a half of its own. */
export interface TransactionEnd {
  readonly group: string
  /** As the send of the half was answered, or as the check-back said. */
  readonly queueOffset: number
  readonly offset: number
  readonly isCommit: boolean
  readonly isFromCheck: boolean
}

interface Ending {
  readonly queueOffset: number
  readonly message: RecordDraft | undefined
  readonly release: () => void
  readonly done: (error: Error | undefined) => void
}

const ENDS_PER_ENTRY = 64
const BYTES_PER_ENTRY = 256 * 1024
/** A half that is just being ended or moved by somebody else is looked at again after so long, so often. */
const CLAIMED_WAIT_MS = 20
const CLAIMED_WAITS = 100

export class Transactions {
  readonly #need: TransactionsNeeds
  #endings: Ending[] = []

  constructor(need: TransactionsNeeds) {
    this.#need = need
  }

  /**
   * Ends the half. Returns whether this was what ended it: false, it had ended before. Rejects with BROKER_REFUSED for a
   * half that is not there or not this group's, BROKER_ILLEGAL_OPERATION for an end that came after the half's own time
   * limit, BROKER_TOPIC_NOT_EXIST, or as `Proposals` does.
   */
  async end(wanted: TransactionEnd): Promise<boolean> {
    const { claims, clock } = this.#need
    const half = await this.#checked(wanted)
    for (let waits = 0; waits < CLAIMED_WAITS; waits++) {
      const current = await this.#current(half)
      if (current === undefined) return false
      if (!claims.has(current.queueOffset) && this.#need.halves.isPending(current.queueOffset)) {
        await this.#propose(current, wanted.isCommit)
        return true
      }
      await sleep(clock, CLAIMED_WAIT_MS)
    }
    throw refusal('BROKER_BUSY', 'the transaction is being ended or checked')
  }

  async #checked({ group, queueOffset, offset, isFromCheck }: TransactionEnd): Promise<StoredMessage> {
    const record = await this.#need.store.recordAt(offset)
    const half = record === undefined ? undefined : decodeRecord(record, 0)
    if (half?.topic !== SystemTopic.transactionHalf) {
      throw refusal('BROKER_REFUSED', 'Find prepared transaction message failed')
    }
    const { clock, options } = this.#need
    const ownMs = immunityMs(half)
    const isLate =
      ownMs !== undefined && clock.nowMs() - half.bornTimestampMs > Math.max(ownMs, options.transactionTimeOut)
    if (isLate && !isFromCheck) {
      throw refusal('BROKER_ILLEGAL_OPERATION', 'the half’s own time for its end is over: wait for the check')
    }
    if (findProperty(half.properties, PropertyName.PGROUP) !== group) {
      throw refusal('BROKER_REFUSED', 'The producer group wrong')
    }
    if (half.queueOffset !== queueOffset) {
      throw refusal('BROKER_REFUSED', 'The transaction state table offset wrong')
    }
    return half
  }

  /** The half, or what it is now if it was stored again since; undefined when the transaction ended. */
  async #current(half: StoredMessage): Promise<StoredMessage | undefined> {
    const { halves, store } = this.#need
    if (halves.isPending(half.queueOffset)) return half
    const key = findProperty(half.properties, PropertyName.UNIQ_KEY)
    if (key === undefined) return undefined
    const topic = SystemTopic.transactionHalf
    const { records } = await store.byKey({ topic, key, maxCount: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER })
    return records
      .map((record) => decodeRecord(record, 0))
      .findLast((other) => originOf(other) === originOf(half) && halves.isPending(other.queueOffset))
  }

  #propose(half: StoredMessage, isCommit: boolean): Promise<void> {
    const message = isCommit ? this.#messageOf(half) : undefined
    const release = this.#need.claims.take([half.queueOffset])
    return new Promise((resolve, reject) => {
      const done = (error: Error | undefined): void => {
        if (error === undefined) resolve()
        else reject(error)
      }
      if (this.#endings.length === 0) this.#need.clock.endOfTurn(() => this.#flush())
      this.#endings.push({ queueOffset: half.queueOffset, message, release, done })
    })
  }

  #messageOf(half: StoredMessage): RecordDraft {
    const place = realPlace(half)
    if (place === undefined || !this.#need.topics.has(place.topic)) {
      throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${place?.topic ?? ''}] not exist, apply first please!`)
    }
    return this.#need.placed(committedDraft(half, place))
  }

  #flush(): void {
    const endings = this.#endings
    this.#endings = []
    let from = 0
    while (from < endings.length) {
      let bytes = 0
      let until = from
      for (; until < endings.length && until - from < ENDS_PER_ENTRY; until++) {
        const message = endings[until]?.message
        bytes += message === undefined ? 0 : recordLength(message)
        if (until > from && bytes > BYTES_PER_ENTRY) break
      }
      void this.#store(endings.slice(from, until))
      from = until
    }
  }

  async #store(endings: readonly Ending[]): Promise<void> {
    const { halves, proposals, stats, storeHost, clock } = this.#need
    const ended = endings.map(({ queueOffset }) => queueOffset)
    const messages = endings.flatMap(({ message }) => message ?? [])
    let failure: Error | undefined
    try {
      await proposals.commandWithRecords(halves.end(ended), [...messages, opDraft(ended, storeHost, clock.nowMs())])
      stats.put(putOf(messages))
    } catch (error) {
      failure = error instanceof Error ? error : new Error(errorMessage(error))
    }
    for (const { release, done } of endings) {
      // What may be in the log is not proposed again before its fate is known.
      if (errorCode(failure) !== 'BROKER_UNDECIDED') release()
      done(failure)
    }
  }
}
