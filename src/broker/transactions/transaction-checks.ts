/**
 * Asks producers what became of transactions that they did not end (RocketMQ TransactionalMessageServiceImpl.check). On
 * the leader, every transactionCheckInterval, oldest half first. That a half was asked about is recorded before its
 * producer is asked, by storing it again at the queue's end with its number of checks, in the entry that ends the old
 * one. A leader that dies between the two leaves the question unasked; so before a half is given up, the leader that does
 * so has asked once itself.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorCode, errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { encodeOffsetMessageId } from '../../message/message-id.ts'
import { findProperty, PropertyName } from '../../message/properties.ts'
import { realPlace } from '../../message/real-place.ts'
import { decodeRecords, type RecordDraft, type StoredMessage } from '../../message/record.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import { RequestCode } from '../../remoting/codes.ts'
import type { Request } from '../../remoting/connection.ts'
import type { PullRequest, PullResult } from '../../store/consume-queue-pull.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { Claims } from '../log/claims.ts'
import type { Member } from '../clients/clients.ts'
import { checkTimesOf, discardedDraft, immunityMs, renewedHalf, shownRecord } from './half-messages.ts'
import type { Leadership, Proposals, Stored } from '../needs.ts'
import type { PendingHalves } from './pending-halves.ts'
import { topicConfig } from '../tables/topics.ts'

export interface TransactionChecksNeeds {
  readonly halves: PendingHalves
  readonly claims: Claims<number>
  readonly store: {
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    pull(request: PullRequest): PullResult | Promise<PullResult>
  }
  readonly proposals: Pick<Proposals, 'commandWithRecords'>
  readonly leadership: Pick<Leadership, 'isReady' | 'term'>
  readonly clients: { producers(group: string): Member[] | undefined }
  readonly relay: { notify(member: Member, request: Request): void }
  readonly autoCreate: Pick<AutoCreate, 'topic'>
  readonly brokerName: string
  readonly clock: Clock
  readonly log: Log
  readonly options: {
    readonly transactionCheckInterval: number
    readonly transactionTimeOut: number
    readonly transactionCheckMax: number
    readonly fileReservedTime: number
  }
}

/** What is done about a pending half. */
type Verdict = 'wait' | 'renew' | 'check' | 'askAgain' | 'discard'

interface Move {
  readonly half: StoredMessage
  readonly verdict: 'renew' | 'check' | 'discard'
  readonly draft: RecordDraft
}

const BATCH_MESSAGES = 64
const BATCH_BYTES = 256 * 1024
/** A half that must not be checked for long is stored again after so long, so that the log may let go of its front. */
const RENEW_AFTER_MS = 3_600_000

export class TransactionChecks {
  readonly #need: TransactionChecksNeeds
  #timer: Timer | undefined
  #isClosed = false
  #term = -1
  /** Halves, by queueOffset, that were asked about in this term. */
  #asked = new Set<number>()
  #turn = 0

  constructor(need: TransactionChecksNeeds) {
    this.#need = need
    this.#schedule()
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  /** One pass over the pending halves. Never rejects: what could not be done is done by the next pass. */
  async check(): Promise<void> {
    const { leadership, log, halves } = this.#need
    if (!leadership.isReady) return
    if (this.#term !== leadership.term) this.#asked = new Set()
    this.#term = leadership.term
    for (const queueOffset of this.#asked) if (!halves.isPending(queueOffset)) this.#asked.delete(queueOffset)
    try {
      await this.#pass()
    } catch (error) {
      if (errorCode(error) === 'RMQ_ASSERTION') throw error
      log.warn({ error: errorMessage(error) }, 'transactions are checked later')
    }
  }

  #schedule(): void {
    if (this.#isClosed) return
    const { clock, options } = this.#need
    this.#timer = clock.after(options.transactionCheckInterval, () => {
      void this.check().finally(() => this.#schedule())
    })
  }

  async #pass(): Promise<void> {
    const { halves, store, clock } = this.#need
    const startMs = clock.nowMs()
    // What is stored again during the pass is left for the next one.
    const end = store.queueBounds(SystemTopic.transactionHalf, 0)?.max ?? 0
    let at = halves.next(0, end)
    while (at !== undefined && this.#leads()) {
      const read = await store.pull({
        topic: SystemTopic.transactionHalf,
        queueId: 0,
        queueOffset: at,
        maxCount: BATCH_MESSAGES,
        maxBytes: BATCH_BYTES,
      })
      if (read.status !== 'found' || !this.#leads()) return
      const found = read.slices.flatMap((slice) => decodeRecords(slice))
      await this.#handle(
        found.filter((half) => half.queueOffset < end),
        startMs,
      )
      at = halves.next(Math.max(at + 1, read.nextQueueOffset), end)
    }
  }

  #leads(): boolean {
    const { leadership } = this.#need
    return !this.#isClosed && leadership.isReady && leadership.term === this.#term
  }

  async #handle(found: readonly StoredMessage[], startMs: number): Promise<void> {
    const { halves, claims, autoCreate } = this.#need
    const verdictOf = (half: StoredMessage): Verdict =>
      halves.isPending(half.queueOffset) && !claims.has(half.queueOffset) ? this.#verdict(half, startMs) : 'wait'
    if (found.some((half) => verdictOf(half) === 'discard')) {
      const place = { readQueueNums: 1, writeQueueNums: 1 }
      await autoCreate.topic(topicConfig(SystemTopic.transactionCheckMax, place))
    }
    const moves: Move[] = []
    // Nothing is awaited from here to the claim.
    for (const half of found) {
      const verdict = verdictOf(half)
      if (verdict === 'askAgain') this.#ask(half)
      else if (verdict !== 'wait') moves.push({ half, verdict, draft: draftOf(half, verdict) })
    }
    if (moves.length > 0) await this.#move(moves)
  }

  /** RocketMQ's needDiscard, needSkip and immunity, in their order. */
  #verdict(half: StoredMessage, startMs: number): Verdict {
    const { options } = this.#need
    const bornMs = startMs - half.bornTimestampMs
    if (checkTimesOf(half) >= options.transactionCheckMax) {
      return this.#asked.has(half.queueOffset) ? 'discard' : 'askAgain'
    }
    if (bornMs > options.fileReservedTime * 3_600_000) return 'discard'
    const ownMs = immunityMs(half)
    const isImmune = ownMs === undefined ? bornMs >= 0 && bornMs <= options.transactionTimeOut : bornMs <= ownMs
    if (!isImmune) return 'check'
    return startMs - half.storeTimestampMs > RENEW_AFTER_MS ? 'renew' : 'wait'
  }

  async #move(moves: readonly Move[]): Promise<void> {
    const { halves, claims, proposals } = this.#need
    const old = moves.map(({ half }) => half.queueOffset)
    const release = claims.take(old)
    let stored: readonly Stored[]
    try {
      stored = await proposals.commandWithRecords(
        halves.end(old),
        moves.map(({ draft }) => draft),
      )
    } catch (error) {
      // What may be in the log is not proposed again before its fate is known.
      if (errorCode(error) !== 'BROKER_UNDECIDED') release()
      throw error
    }
    release()
    if (!this.#leads()) return
    moves.forEach(({ verdict, draft }, at) => {
      const place = stored[at]
      if (verdict === 'check' && place !== undefined) this.#ask({ ...draft, ...place, size: 0, bodyCrc: 0 })
    })
  }

  /** 39, to one connection of the half's producer group, each in turn. Without one, the next check comes anyway. */
  #ask(half: StoredMessage): void {
    const { clients, relay, brokerName } = this.#need
    this.#asked.add(half.queueOffset)
    const place = realPlace(half)
    const producers = clients.producers(findProperty(half.properties, PropertyName.PGROUP) ?? '') ?? []
    const producer = producers[this.#turn++ % Math.max(1, producers.length)]
    if (producer === undefined || place === undefined) return
    const uniqueKey = findProperty(half.properties, PropertyName.UNIQ_KEY)
    relay.notify(producer, {
      code: RequestCode.CHECK_TRANSACTION_STATE,
      header: {
        topic: SystemTopic.transactionHalf,
        tranStateTableOffset: half.queueOffset,
        commitLogOffset: half.offset,
        msgId: uniqueKey,
        transactionId: uniqueKey,
        offsetMsgId: encodeOffsetMessageId(half.storeHost, half.offset),
        bname: brokerName,
      },
      body: shownRecord(half, place),
    })
  }
}

function draftOf(half: StoredMessage, verdict: Move['verdict']): RecordDraft {
  if (verdict === 'discard') return discardedDraft(half)
  return renewedHalf(half, checkTimesOf(half) + (verdict === 'check' ? 1 : 0))
}
