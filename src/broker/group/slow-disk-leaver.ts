/**
 * A node whose disk becomes slow says so to its leader at once; one that leads hands leadership, when that has gone on for
 * a time, to a member that has said its own disk is not. Where all are slow (one medium below them all, or the host stands
 * still) leadership stays: handed round it would only add elections.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReplicaStatus } from '../../raft/status.ts'
import type { Fitness } from '../../raft/types.ts'

export interface SlowDiskLeaverNeeds {
  readonly disk: { isSlow(nowMs: number): boolean; isTooSlow(nowMs: number): boolean }
  readonly leadership: { readonly isReady: boolean }
  readonly replica: {
    status(): ReplicaStatus
    setFitness(change: Pick<Fitness, 'diskSlow'>): void
    transferLeadership(to: string): Promise<void>
  }
  readonly clock: Clock
  readonly log: Log
}

const PERIOD_MS = 200
/** A member that was not heard for so long is not given leadership. */
const HEARD_WITHIN_MS = 500

export class SlowDiskLeaver {
  readonly #need: SlowDiskLeaverNeeds
  readonly #timer: Timer
  #isMoving = false
  #isSlow = false

  constructor(need: SlowDiskLeaverNeeds) {
    this.#need = need
    this.#timer = need.clock.every(PERIOD_MS, () => void this.look())
  }

  /** Never rejects: it is looked at again. */
  async look(): Promise<void> {
    const { disk, leadership, replica, clock, log } = this.#need
    const nowMs = clock.monotonicMs()
    const isSlow = disk.isSlow(nowMs)
    if (isSlow !== this.#isSlow) replica.setFitness({ diskSlow: isSlow })
    this.#isSlow = isSlow
    if (this.#isMoving || !leadership.isReady || !disk.isTooSlow(nowMs)) return
    const to = successor(replica.status())
    if (to === undefined) return
    this.#isMoving = true
    try {
      log.warn({ to }, 'the disk of this leader is too slow: leadership goes to another member')
      await replica.transferLeadership(to)
    } catch (error) {
      log.warn({ to, reason: errorMessage(error) }, 'the member did not take over')
    }
    this.#isMoving = false
  }

  close(): void {
    this.#timer.cancel()
  }
}

/** The voter that is filled, heard and furthest among those whose disk is good. Pure. */
export function successor({
  id,
  members,
  progress,
}: Pick<ReplicaStatus, 'id' | 'members' | 'progress'>): string | undefined {
  let best: string | undefined
  let bestMatch = 0
  for (const voter of members.voters) {
    const follower = voter === id ? undefined : progress[voter]
    if (follower === undefined || !follower.filled || !follower.isDiskGood) continue
    if (follower.lastContactMs > HEARD_WITHIN_MS || follower.match <= bestMatch) continue
    best = voter
    bestMatch = follower.match
  }
  return best
}
