/** A leader whose disk has become slow hands leadership to a member whose disk may be better; a follower does nothing. */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReplicaStatus } from '../../raft/status.ts'

export interface SlowDiskLeaverNeeds {
  readonly disk: { isTooSlow(nowMs: number): boolean }
  readonly leadership: { readonly isReady: boolean }
  readonly replica: { status(): ReplicaStatus; transferLeadership(to: string): Promise<void> }
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

  constructor(need: SlowDiskLeaverNeeds) {
    this.#need = need
    this.#timer = need.clock.every(PERIOD_MS, () => void this.look())
  }

  /** Never rejects: it is looked at again. */
  async look(): Promise<void> {
    const { disk, leadership, replica, clock, log } = this.#need
    if (this.#isMoving || !leadership.isReady || !disk.isTooSlow(clock.monotonicMs())) return
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

/** The voter that is filled, heard and furthest. Pure. */
export function successor({
  id,
  members,
  progress,
}: Pick<ReplicaStatus, 'id' | 'members' | 'progress'>): string | undefined {
  let best: string | undefined
  let bestMatch = 0
  for (const voter of members.voters) {
    const follower = voter === id ? undefined : progress[voter]
    if (follower === undefined || !follower.filled || follower.lastContactMs > HEARD_WITHIN_MS) continue
    if (follower.match <= bestMatch) continue
    best = voter
    bestMatch = follower.match
  }
  return best
}
