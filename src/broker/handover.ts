/** Hands leadership over on an administrator's word. */
import { type Clock, sleep } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'

export interface HandoverNeeds {
  readonly ownId: string
  readonly replica: {
    transferLeadership(to: string): Promise<void>
    status(): { readonly members: { readonly voters: readonly string[] } }
  }
  readonly clock: Clock
}

/** A follower that a new leader has not heard yet cannot be given leadership for a moment. */
const PATIENCE_MS = 2_000
const RETRY_MS = 50

/** Resolves when `to` leads. Rejects with the codes of `Replica.transferLeadership`. */
export async function handOver({ ownId, replica, clock }: HandoverNeeds, to: string): Promise<void> {
  if (to === ownId) return
  const untilMs = clock.monotonicMs() + PATIENCE_MS
  for (;;) {
    try {
      return await replica.transferLeadership(to)
    } catch (error) {
      const mayCome = errorCode(error) === 'RAFT_BAD_TARGET' && replica.status().members.voters.includes(to)
      if (!mayCome || clock.monotonicMs() >= untilMs) throw error
      await sleep(clock, RETRY_MS)
    }
  }
}
