/**
 * Retention is a replicated decision: the leader looks at time and at the fullest disk of the group and proposes where
 * the log starts; every node then drops what lies before, once its queues stand without it. A failover therefore never
 * moves a queue's minimum, and no node deletes on its own.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { isVoter } from '../../raft/memberships.ts'
import type { ReplicaStatus } from '../../raft/status.ts'
import { RetentionClock, retentionOffset, type RetentionOptions } from '../../store/retention.ts'
import { logStartCommands, type LogStartTable } from '../tables/log-start-table.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { NodeState } from '../node/node-state.ts'
import type { Peers, PeerServices } from '../peers/peers.ts'

export interface RetentionServiceNeeds {
  readonly state: Pick<NodeState, 'log' | 'store' | 'folder'>
  readonly table: LogStartTable
  readonly proposals: Pick<Proposals, 'command'>
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly peers: PeerServices & Pick<Peers, 'ids'>
  /**
   * What lies before the offset is about to go: stores again what somebody waits for there. Resolves with the first
   * offset that is waited for nonetheless: nothing from there on goes.
   */
  readonly keepBefore: (offset: number) => Promise<number>
  /** The highest index that every member holds, as this leader knows. */
  readonly heldByAll: () => number
  /** The log let go of its front: Raft must know its new start. */
  readonly startMoved: () => void
  readonly clock: Clock
  readonly logger: Log
  readonly fatal: (error: Error) => void
  readonly options: () => RetentionOptions
}

const METHOD = 'disk'
/** A learner that was not heard for so long is not waited for: it is reset when it comes back. */
const LEARNER_HEARD_WITHIN_MS = 30_000
/** RocketMQ cleanResourceInterval. */
const PERIOD_MS = 10_000
const TIMEOUT_MS = 2_000

/** The highest index that every voter holds, and every learner that is being filled. Pure. */
export function heldByMembers({ members, progress }: Pick<ReplicaStatus, 'members' | 'progress'>): number {
  const held = Object.entries(progress)
    .filter(([id, { lastContactMs }]) => isVoter(members, id) || lastContactMs < LEARNER_HEARD_WITHIN_MS)
    .map(([, { match }]) => match)
  return Math.min(...held)
}

export class RetentionService {
  readonly #need: RetentionServiceNeeds
  readonly #timer: Timer
  readonly #time: RetentionClock
  #moving: Promise<void> = Promise.resolve()
  #isRunning = false

  constructor(need: RetentionServiceNeeds) {
    this.#need = need
    const { clock, peers } = need
    this.#time = new RetentionClock({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() })
    peers.handle(METHOD, async () => ({ meta: await this.#usedRatio() }))
    this.#timer = clock.every(PERIOD_MS, () => void this.decide())
  }

  /** On a ready leader: proposes a new log start if something may go; with `atAnyHour` deleteWhen is not asked. Never rejects: it is looked at again soon. */
  async decide(atAnyHour = false): Promise<void> {
    const { leadership, proposals, logger } = this.#need
    if (this.#isRunning || !leadership.isReady) return
    this.#isRunning = true
    try {
      const offset = await this.#wanted(atAnyHour)
      if (offset !== undefined && offset > this.#need.table.offset) {
        await proposals.command(logStartCommands.move(offset))
        logger.info({ offset }, 'old segments are dropped')
      }
    } catch (error) {
      logger.warn({ reason: errorMessage(error) }, 'retention could not be decided')
    }
    this.#isRunning = false
  }

  /** The group's log start moved (or may have, before a crash): lets go of what lies before it, in order. */
  apply(): void {
    const { state, table, startMoved, fatal } = this.#need
    this.#moving = this.#moving
      .then(async () => {
        const { offset } = table
        if (offset <= state.log.start.offset && offset <= state.store.logStart) return
        // A follower may hear of it before it holds what the start stands on.
        if (offset > state.store.endOffset) return
        await state.store.moveLogStart(offset)
        await state.log.dropBefore(offset)
        startMoved()
      })
      .catch((error: unknown) => fatal(error instanceof Error ? error : new Error(String(error))))
  }

  async close(): Promise<void> {
    this.#timer.cancel()
    await this.#moving
  }

  async #wanted(atAnyHour: boolean): Promise<number | undefined> {
    const { state, clock, options, heldByAll } = this.#need
    const diskUsedRatio = await this.#fullestRatio()
    const nowMs = this.#time.nowMs({ wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() })
    const hour = new Date(clock.nowMs()).getHours()
    const chosen = atAnyHour ? { ...options(), deleteHours: [hour] } : options()
    // Under pressure nothing goes that a voter still has to be sent; by age it may, and that voter is reset.
    const isForced = diskUsedRatio > chosen.forceUsedRatio
    const held = state.log.segments().findLast(({ lastIndex }) => lastIndex <= heldByAll())
    const heldOffset = isForced ? (held?.endOffset ?? 0) : Infinity
    const segments = state.log.segments()
    const coveredOffset = Math.min(state.store.endOffset, state.log.flushed.offset, heldOffset)
    const offset = retentionOffset({ segments, nowMs, hour, diskUsedRatio, coveredOffset }, chosen)
    if (offset === undefined || offset <= this.#need.table.offset) return undefined
    const kept = await this.#need.keepBefore(offset)
    if (kept >= offset) return offset
    return retentionOffset({ segments, nowMs, hour, diskUsedRatio, coveredOffset: kept }, chosen)
  }

  async #fullestRatio(): Promise<number> {
    const { peers } = this.#need
    const answers = await Promise.allSettled(peers.ids.map((peer) => peers.ask(peer, METHOD, null, [], TIMEOUT_MS)))
    const ratios = answers.map((answer) => (answer.status === 'fulfilled' ? Number(answer.value.meta) : 0))
    return Math.max(await this.#usedRatio(), ...ratios.filter((ratio) => ratio >= 0 && ratio <= 1))
  }

  async #usedRatio(): Promise<number> {
    const { fileSystem, path } = this.#need.state.folder
    const { totalBytes, freeBytes } = await fileSystem.space(path)
    return totalBytes === 0 ? 0 : 1 - freeBytes / totalBytes
  }
}
