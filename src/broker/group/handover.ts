/** Hands leadership over on an administrator's word, and with it what consumers said last. */
import { type Clock, sleep } from '../../lib/clock.ts'
import { errorCode } from '../../lib/errors.ts'
import type { ReplicaStatus } from '../../raft/status.ts'
import type { OffsetCommits } from '../clients/offset-commits.ts'

export interface HandoverNeeds {
  readonly ownId: string
  readonly replica: {
    transferLeadership(to: string): Promise<void>
    status(): { readonly members: { readonly voters: readonly string[] } }
  }
  readonly clock: Clock
}

export interface Transferring {
  transferLeadership(to: string): Promise<void>
  status(): ReplicaStatus
}

/** How long offsets that wait for their command may keep leadership from moving. */
export const OFFSETS_WITHIN_MS = 200

/** `replica` with a transfer that first brings the offsets into the log that came to this node. */
export function withOffsets(replica: Transferring, commits: Pick<OffsetCommits, 'handOver' | 'resume'>): Transferring {
  return {
    status: () => replica.status(),
    async transferLeadership(to) {
      await commits.handOver(OFFSETS_WITHIN_MS)
      try {
        await replica.transferLeadership(to)
      } finally {
        commits.resume()
      }
    },
  }
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
