/**
 * Pops of a leader (RocketMQ PopMessageProcessor): takes messages of several queues and records what it took before it
 * answers. One pop at a time takes from a queue for a group; whatever else moved the group's offset meanwhile (a reset,
 * an earlier leader) makes the recorded pop void, and nothing of it is given out.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Random } from '../../lib/prng.ts'
import { recordQueueOffset, recordSize } from '../../message/record.ts'
import type { PullRequest, PullResult } from '../../store/consume-queue-pull.ts'
import type { Claims } from '../log/claims.ts'
import type { ConsumerOffsets } from '../tables/consumer-offsets.ts'
import type { Topics } from '../tables/topics.ts'
import { type PopCheckpoints, popChanges } from './checkpoints.ts'
import { orderChanges } from './ordered-pops.ts'
import { type PopQueue, queueKey } from './pop-queue.ts'
import type { PopProposer } from './proposer.ts'
import { type PoppedQueue, popRetryTopic } from './receipt.ts'

export interface PopsNeeds {
  readonly checkpoints: PopCheckpoints
  readonly offsets: Pick<ConsumerOffsets, 'get'>
  readonly topics: Pick<Topics, 'get'>
  readonly proposer: PopProposer
  /** Queues that a pop takes from now, by `queueKey`. */
  readonly claims: Claims<string>
  readonly store: {
    pull(request: PullRequest): PullResult | Promise<PullResult>
    queueBounds(topic: string, queueId: number): { readonly min: number; readonly max: number } | undefined
    isYoung(topic: string, queueId: number): boolean
  }
  readonly random: Random
  readonly clock: Clock
  readonly options: { readonly maxTransferBytesOnMessageInMemory: number; readonly popInflightMessageThreshold: number }
}

export interface PopRequest {
  readonly topic: string
  readonly group: string
  /** -1: all of the topic. */
  readonly queueId: number
  readonly maxCount: number
  readonly invisibleMs: number
  /** Where a group without an offset begins (RocketMQ ConsumeInitMode). */
  readonly initMode: 'min' | 'max'
  readonly ordered: boolean
  readonly attemptId: string | undefined
  readonly tagsCodes: ReadonlySet<number> | undefined
  readonly accept: ((record: Buffer) => boolean) | undefined
}

export interface PopResult {
  readonly popTimeMs: number
  readonly queues: readonly PoppedQueue[]
  readonly slices: readonly Buffer[]
  readonly count: number
  readonly bytes: number
  /** Messages that are left in the queues. */
  readonly rest: number
}

interface Taken {
  readonly queue: PopQueue
  readonly release: () => void
  readonly from: number | undefined
  readonly next: number
  readonly offsets: readonly number[]
  readonly slices: readonly Buffer[]
  readonly bytes: number
  readonly rest: number
}

/** RocketMQ popFromRetryProbability: in so many of a hundred pops what comes again comes first. */
const RETRY_FIRST = 20
const AGAIN_MAX = 4

export class Pops {
  readonly #need: PopsNeeds

  constructor(need: PopsNeeds) {
    this.#need = need
  }

  /** Rejects as `Proposals.command` does. */
  async pop(request: PopRequest): Promise<PopResult> {
    const { clock } = this.#need
    const taken: Taken[] = []
    let rest = 0
    try {
      let left = request.maxCount
      for (const queue of this.#queues(request)) {
        if (left <= 0) rest += this.#left(queue)
        else {
          const one = await this.#take(queue, left, request)
          if (one === undefined) continue
          taken.push(one)
          left -= one.offsets.length
          rest += one.rest
        }
      }
      const popTimeMs = clock.nowMs()
      const recorded = await Promise.all(taken.map((one) => this.#record(one, popTimeMs, request)))
      const given = recorded.flatMap((one) => (one === undefined || one.popped.offsets.length === 0 ? [] : [one]))
      return {
        popTimeMs,
        queues: given.map(({ popped }) => popped),
        slices: given.flatMap(({ slices }) => slices),
        count: given.reduce((sum, { popped }) => sum + popped.offsets.length, 0),
        bytes: given.reduce((sum, { bytes }) => sum + bytes, 0),
        rest,
      }
    } finally {
      for (const { release } of taken) release()
    }
  }

  /** Whether a pop would find something to look at now. */
  isWorthwhile(request: PopRequest): boolean {
    const nowMs = this.#need.clock.nowMs()
    return this.#queues(request).some((queue) => {
      if (this.#need.claims.has(queueKey(queue)) || this.#isFull(queue)) return false
      if (request.ordered && this.#need.checkpoints.ordered.isBlocked(queue, nowMs, request.attemptId)) return false
      return this.#left(queue) > 0
    })
  }

  /** The queues of the topic and, but for ordered pops, those of its retry topics, in the order to try them. */
  #queues({ topic, group, queueId, ordered }: PopRequest): PopQueue[] {
    const { random } = this.#need
    const own = this.#queuesOf(topic, group).filter((queue) => queueId < 0 || queue.queueId === queueId)
    const first = own.length > 1 ? random.integer(0, own.length - 1) : 0
    const rotated = [...own.slice(first), ...own.slice(0, first)]
    if (ordered) return rotated
    const again = [false, true].flatMap((isV2) => this.#queuesOf(popRetryTopic(topic, group, isV2), group))
    return random.integer(0, 99) < RETRY_FIRST ? [...again, ...rotated] : [...rotated, ...again]
  }

  #queuesOf(topic: string, group: string): PopQueue[] {
    const count = this.#need.topics.get(topic)?.readQueueNums ?? 0
    return Array.from({ length: count }, (_, queueId) => ({ topic, group, queueId }))
  }

  #left(queue: PopQueue): number {
    const { offsets, store } = this.#need
    const bounds = store.queueBounds(queue.topic, queue.queueId)
    if (bounds === undefined) return 0
    const from = offsets.get(queue.topic, queue.group, queue.queueId) ?? bounds.min
    return from > bounds.max ? 0 : bounds.max - Math.max(from, bounds.min)
  }

  /** Nothing to read, and nowhere to move to: most queues of most pops. */
  #isAtEnd({ topic, group, queueId }: PopQueue): boolean {
    const { offsets, store } = this.#need
    const bounds = store.queueBounds(topic, queueId)
    return bounds === undefined || offsets.get(topic, group, queueId) === bounds.max
  }

  #isFull(queue: PopQueue): boolean {
    return this.#need.checkpoints.inFlight(queue) >= this.#need.options.popInflightMessageThreshold
  }

  /** Claims the queue and reads from it; undefined, without a claim, when there is nothing to record. */
  async #take(queue: PopQueue, maxCount: number, request: PopRequest): Promise<Taken | undefined> {
    const { claims, checkpoints, clock } = this.#need
    if (claims.has(queueKey(queue)) || this.#isFull(queue) || this.#isAtEnd(queue)) return undefined
    if (request.ordered && checkpoints.ordered.isBlocked(queue, clock.nowMs(), request.attemptId)) return undefined
    const release = claims.take([queueKey(queue)])
    try {
      const taken = await this.#read(queue, maxCount, request)
      if (taken !== undefined) return { ...taken, release }
    } catch (error) {
      release()
      throw error
    }
    release()
    return undefined
  }

  async #read(queue: PopQueue, maxCount: number, request: PopRequest): Promise<Omit<Taken, 'release'> | undefined> {
    const { offsets, store, options } = this.#need
    const { topic, group, queueId } = queue
    const from = offsets.get(topic, group, queueId)
    let at = from ?? this.#beginning(queue, request)
    const isOwn = topic === request.topic
    for (let tries = 0; ; tries++) {
      const pull: PullRequest = {
        topic,
        queueId,
        queueOffset: at,
        maxCount,
        maxBytes: options.maxTransferBytesOnMessageInMemory,
        ...(isOwn && request.tagsCodes !== undefined ? { tagsCodes: request.tagsCodes } : {}),
        ...(isOwn && request.accept !== undefined ? { accept: request.accept } : {}),
      }
      const result = await store.pull(pull)
      const { status, nextQueueOffset: next, maxQueueOffset: max, slices, bytes } = result
      if (status === 'found') {
        return { queue, from, next, offsets: offsetsOf(slices), slices, bytes, rest: Math.max(0, max - next) }
      }
      const mayGoOn = status === 'noMatched' || status === 'removing' || status === 'tooSmall'
      if (mayGoOn && next < max && tries < AGAIN_MAX) {
        at = next
        continue
      }
      // The group stands where there is nothing for it: it is moved, so that the same is not looked at again.
      const isMoved = next !== from && (mayGoOn || status === 'overflowBadly')
      return isMoved
        ? { queue, from, next, offsets: [], slices: [], bytes: 0, rest: Math.max(0, max - next) }
        : undefined
    }
  }

  /** RocketMQ getInitOffset: from the first message, or, unless the queue is young, from the last. */
  #beginning({ topic, queueId }: PopQueue, request: PopRequest): number {
    const { store } = this.#need
    const isWhole = request.initMode === 'min' || topic !== request.topic || store.isYoung(topic, queueId)
    const { min, max } = store.queueBounds(topic, queueId) ?? { min: 0, max: 0 }
    return isWhole ? min : Math.max(min, max - 1)
  }

  async #record(
    taken: Taken,
    popTimeMs: number,
    { ordered, invisibleMs, attemptId }: PopRequest,
  ): Promise<{ popped: PoppedQueue; slices: readonly Buffer[]; bytes: number } | undefined> {
    const { queue, from, next, offsets, slices, bytes } = taken
    const { proposer } = this.#need
    const isOrdered = ordered && offsets.length > 0
    const result = await proposer.propose(
      isOrdered
        ? orderChanges.pop(queue, { popTimeMs, invisibleMs, from, offsets, attemptId })
        : popChanges.pop(queue, { popTimeMs, invisibleMs, from, next, offsets }),
    )
    if (result === false) return undefined
    const counts = Array.isArray(result) ? result.map(Number) : undefined
    const { topic, queueId } = queue
    return { popped: { topic, queueId, start: offsets[0] ?? 0, offsets, counts }, slices, bytes }
  }
}

/** The queueOffsets of records back to back. */
function offsetsOf(slices: readonly Buffer[]): number[] {
  const offsets: number[] = []
  for (const slice of slices) {
    for (let at = 0; at < slice.length; at += recordSize(slice, at)) offsets.push(recordQueueOffset(slice, at))
  }
  return offsets
}
