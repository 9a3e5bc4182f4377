/**
 * Members that should lead while they can (DLedger preferredLeaderIds): a leader that is not the first of them hands
 * leadership to the first that is caught up.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { ReplicaStatus } from '../../raft/status.ts'

export interface PreferredLeaderNeeds {
  readonly ownId: string
  /** In order of preference; empty: anybody may lead. */
  readonly preferred: readonly string[]
  readonly leadership: { readonly isReady: boolean }
  readonly replica: { status(): ReplicaStatus; transferLeadership(to: string): Promise<void> }
  readonly clock: Clock
  readonly log: Log
}

const PERIOD_MS = 1_000
/** A member that was not heard for so long is not given leadership. */
const HEARD_WITHIN_MS = 500
/** Entries that it may lack: the transfer waits for those, with writes held back. */
const LAG_MAX_ENTRIES = 1_000

export class PreferredLeader {
  readonly #need: PreferredLeaderNeeds
  readonly #timer: Timer | undefined
  #isMoving = false

  constructor(need: PreferredLeaderNeeds) {
    this.#need = need
    if (need.preferred.length > 0) this.#timer = need.clock.every(PERIOD_MS, () => void this.look())
  }

  /** Hands leadership over if a more preferred member can take it. Never rejects: it is looked at again. */
  async look(): Promise<void> {
    const { leadership, replica, log } = this.#need
    if (this.#isMoving || !leadership.isReady) return
    const to = betterLeader(this.#need, replica.status())
    if (to === undefined) return
    this.#isMoving = true
    try {
      log.info({ to }, 'handing leadership to a preferred member')
      await replica.transferLeadership(to)
    } catch (error) {
      log.info({ to, reason: errorMessage(error) }, 'the preferred member did not take over')
    }
    this.#isMoving = false
  }

  close(): void {
    this.#timer?.cancel()
  }
}

/** The first member, preferred above this node, that is filled, heard and nearly caught up, with a good disk. Pure. */
export function betterLeader(
  { ownId, preferred }: Pick<PreferredLeaderNeeds, 'ownId' | 'preferred'>,
  { progress, members }: Pick<ReplicaStatus, 'progress' | 'members'>,
): string | undefined {
  const own = preferred.indexOf(ownId)
  const above = own === -1 ? preferred : preferred.slice(0, own)
  return above.find((id) => {
    const follower = progress[id]
    if (follower === undefined || !members.voters.includes(id)) return false
    // A preferred leader with a slow disk has just left: it would leave again.
    if (!follower.isDiskGood) return false
    return follower.filled && follower.lagEntries <= LAG_MAX_ENTRIES && follower.lastContactMs <= HEARD_WITHIN_MS
  })
}
