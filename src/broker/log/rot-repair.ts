/**
 * Damage in the durable part of the log is never cut away and never served: the entries are fetched from a peer, checked
 * against this node's own indexes and terms, and written in their place (FAST'18, "Protocol-Aware Recovery").
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { BadRange } from '../../store/bad-ranges.ts'
import type { EntryBytes } from '../../store/log-reader.ts'
import { peerErrors } from '../peers/peer-errors.ts'
import type { ReplicaStatus } from '../../raft/status.ts'
import type { Fitness, Membership } from '../../raft/types.ts'
import type { Peers, PeerServices, ServiceHandler } from '../peers/peers.ts'
import { fromPeer } from '../peers/peer-wire.ts'

export interface RotRepairNeeds {
  readonly log: {
    readonly end: { readonly index: number }
    badRanges(): readonly BadRange[]
    read(first: number, last: number, maxBytes: number): EntryBytes | undefined | Promise<EntryBytes | undefined>
    repairEntries(entries: EntryBytes): Promise<void>
  }
  readonly peers: PeerServices & Pick<Peers, 'ids'>
  readonly replica: {
    status(): Pick<ReplicaStatus, 'appliedIndex' | 'commitIndex'> & { readonly members: Pick<Membership, 'voters'> }
    setFitness(change: Pick<Fitness, 'damagedFrom' | 'cannotApply'>): void
  }
  readonly clock: Clock
  readonly logger: Log
}

const METHOD = 'entries'
const PERIOD_MS = 500
const TIMEOUT_MS = 5_000
const MAX_BYTES = 4 * 1024 * 1024

interface Wanted {
  readonly first: number
  readonly last: number
}

export class RotRepair {
  readonly #need: RotRepairNeeds
  readonly #timer: Timer
  #isRunning = false
  #closed = false

  constructor(need: RotRepairNeeds) {
    this.#need = need
    need.peers.handle(METHOD, (_from, meta) => this.#give(meta))
    this.#timer = need.clock.every(PERIOD_MS, () => void this.run())
  }

  /** Tries every damaged range once, with every peer. Never rejects: what is left is tried again. */
  async run(): Promise<void> {
    if (this.#isRunning || this.#closed) return
    this.#isRunning = true
    for (const range of this.#need.log.badRanges()) {
      for (const peer of this.#need.peers.ids) {
        if (this.#closed || (await this.#fetch(peer, range))) break
      }
    }
    this.#isRunning = false
    if (!this.#closed) this.#tellReplica()
  }

  /** What is left after a round no peer could give. Who is the only voter leads with what there is. */
  #tellReplica(): void {
    const { log, replica } = this.#need
    const { appliedIndex, commitIndex, members } = replica.status()
    const ranges = members.voters.length > 1 ? log.badRanges() : []
    const range = ranges.find(({ last }) => last > commitIndex)
    replica.setFitness({
      damagedFrom: range && Math.max(range.first, commitIndex + 1),
      cannotApply: ranges.some(({ first, last }) => last > appliedIndex && first <= commitIndex),
    })
  }

  close(): void {
    this.#closed = true
    this.#timer.cancel()
  }

  async #fetch(peer: string, { first, last }: BadRange): Promise<boolean> {
    const { peers, log, logger } = this.#need
    try {
      const wanted: Wanted = { first, last }
      const { meta, payload } = await peers.ask(peer, METHOD, wanted, [], TIMEOUT_MS)
      // A peer may give fewer at a time; the rest stays a damaged range. What it gives is checked by the log.
      const { last: given } = fromPeer<Wanted>(meta)
      await log.repairEntries({ first, last: given, bytes: [payload] })
      logger.warn({ first, last: given, peer }, 'damaged entries were replaced by those of a peer')
      return true
    } catch (error) {
      logger.debug({ first, last, peer, reason: errorMessage(error) }, 'damaged entries could not be repaired')
      return false
    }
  }

  async #give(meta: unknown): ReturnType<ServiceHandler> {
    const { log } = this.#need
    const { first, last } = fromPeer<Wanted>(meta)
    // Who asks may have entries behind those of any other log.
    const end = Math.min(last, log.end.index)
    const found = first > end ? undefined : await log.read(first, end, MAX_BYTES)
    if (found === undefined) throw peerErrors.create('PEER_FAILED', `entries ${first} to ${last} are not here`)
    const given: Wanted = { first: found.first, last: found.last }
    return { meta: given, payload: found.bytes }
  }
}
