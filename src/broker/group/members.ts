/**
 * The members of the group as the log says, and changes of them. A change is asked of the leader, goes through Raft's
 * joint membership, and is over once that is committed; asked again it finds itself done. A leader that is to leave hands
 * leadership over first, so that what it has in flight is answered.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { targetOf, type MemberChange } from '../../raft/member-change.ts'
import type { ChangeRefusal } from '../../raft/member-rules.ts'
import { membersOf } from '../../raft/memberships.ts'
import { raftErrors } from '../../raft/errors.ts'
import type { ReplicaStatus } from '../../raft/status.ts'
import type { Index, Membership, MembershipEntry, MembershipTarget } from '../../raft/types.ts'
import { refusal } from '../errors.ts'

export interface MembersNeeds {
  readonly ownId: string
  readonly replica: {
    changeMembership(target: MembershipTarget): Index | ChangeRefusal
    status(): ReplicaStatus
    transferLeadership(to: string): Promise<void>
  }
  readonly leadership: { readonly isReady: boolean }
  /** Where members are reached whose place the log does not say, by this node's file. */
  readonly placesOfFile: ReadonlyMap<string, string>
  /** Whether only the master votes: slaves come and go by themselves, and no file names them. */
  readonly isOfMaster: boolean
  readonly clock: Clock
  readonly log: Log
}

export interface MemberRow {
  readonly id: string
  /** In a change that is under way `leaving` is a voter still. */
  readonly role: 'voter' | 'learner' | 'leaving'
  readonly place: string | null
  readonly isLeader: boolean
  /** False while its disk is being filled. */
  readonly isFilled: boolean
  readonly matchIndex: number
  readonly lagEntries: number
  readonly lastContactMs: number
}

export interface MemberList {
  readonly term: number
  readonly isChanging: boolean
  readonly members: readonly MemberRow[]
  readonly removed: readonly string[]
}

/** How long the one who asked waits for the end of a change: less than a request may be forwarded for. */
const WAIT_MS = 2_000

interface Waiter {
  readonly look: () => void
}

export class Members {
  readonly #need: MembersNeeds
  readonly #waiters = new Set<Waiter>()
  #current: MembershipEntry | undefined
  #committed: MembershipEntry | undefined
  #isCompared = false

  constructor(need: MembersNeeds) {
    this.#need = need
  }

  /** The log says who takes part, now and by what is committed. */
  changed(current: MembershipEntry, committed: MembershipEntry): void {
    this.#current = current
    this.#committed = committed
    for (const { look } of this.#waiters) look()
    if (this.#isSettled && membersOf(current.membership).includes(this.#need.ownId)) this.#compare(current.membership)
  }

  /** Once: a file that says something else than the log is no longer asked, and its reader should know. */
  #compare({ voters, learners, places = {} }: Membership): void {
    const { placesOfFile, isOfMaster, log } = this.#need
    if (this.#isCompared || isOfMaster) return
    this.#isCompared = true
    const ofLog = [...voters, ...learners].map((id) => `${id}-${places[id] ?? placesOfFile.get(id) ?? '?'}`).sort()
    const ofFile = [...placesOfFile].map(([id, place]) => `${id}-${place}`).sort()
    if (ofLog.join() === ofFile.join()) return
    log.warn({}, `dLegerPeers of the file is ${ofFile.join(';')}; by the log, which counts, it is ${ofLog.join(';')}`)
  }

  /** As the leader knows them. */
  list(): MemberList {
    const { ownId, replica } = this.#need
    const { members, progress, term, lastIndex } = replica.status()
    const rows = membersOf(members).map((id): MemberRow => {
      const isLeader = id === ownId
      const { match = 0, lagEntries = lastIndex, lastContactMs = 0, filled = false } = progress[id] ?? {}
      return {
        id,
        role: roleOf(members, id),
        place: this.#placeOf(members, id) ?? null,
        isLeader,
        // Of who was never heard nothing is known.
        isFilled: isLeader || (filled && match > 0),
        matchIndex: isLeader ? lastIndex : match,
        lagEntries: isLeader ? 0 : lagEntries,
        lastContactMs: Math.round(lastContactMs),
      }
    })
    return { term, isChanging: !this.#isSettled, members: rows, removed: members.removed ?? [] }
  }

  /**
   * Resolves once the group is as `change` wants it. Rejects with `BROKER_NOT_LEADER`, or a code of `raftErrors` that
   * says why it was not begun; `RAFT_CHANGE_UNDERWAY` also when it was begun and did not end in time.
   */
  async change(change: MemberChange): Promise<void> {
    const { leadership, replica, clock, isOfMaster } = this.#need
    if (isOfMaster && (change.kind === 'promote' || change.kind === 'replace')) {
      throw refusal('BROKER_REFUSED', 'a slave does not vote: a group that does has enableDLegerCommitLog=true')
    }
    const deadlineMs = clock.monotonicMs() + WAIT_MS
    for (;;) {
      if (!leadership.isReady) throw refusal('BROKER_NOT_LEADER', 'this node does not lead')
      const { members } = replica.status()
      const target = targetOf(members, change)
      if (target !== undefined) {
        const successor = this.#successor(target, members)
        if (successor !== undefined) {
          await replica.transferLeadership(successor)
          throw refusal('BROKER_NOT_LEADER', 'leadership was handed over')
        }
        const begun = replica.changeMembership({ ...target, places: this.#placesFor(target, members) })
        if (typeof begun === 'string') throw raftErrors.create(begun, textOf(begun, change))
      } else if (this.#isSettled) return
      await this.#settled(deadlineMs)
    }
  }

  /** Who takes over before this leader leaves; undefined when it stays. */
  #successor(target: MembershipTarget, members: Membership): string | undefined {
    const { ownId, replica } = this.#need
    if (target.voters.includes(ownId) || members.outgoing.length > 0) return undefined
    const { progress } = replica.status()
    const [successor] = target.voters
      .filter((id) => members.voters.includes(id) && progress[id]?.filled === true)
      .sort((a, b) => (progress[b]?.match ?? 0) - (progress[a]?.match ?? 0))
    if (successor === undefined) throw raftErrors.create('RAFT_WOULD_LOSE_QUORUM', 'nobody could lead the group then')
    return successor
  }

  /** The log learns every place with the first change that is made: from then on no file is asked. */
  #placesFor(target: MembershipTarget, members: Membership): Readonly<Record<string, string>> {
    const places: Record<string, string> = { ...target.places }
    for (const id of [...target.voters, ...target.learners]) {
      const place = places[id] ?? this.#placeOf(members, id)
      if (place === undefined) {
        throw refusal('BROKER_REFUSED', `${id} has no address for peers: start it with dLegerPeers and dLegerSelfId`)
      }
      places[id] = place
    }
    const [twice] = Object.entries(places).filter(([id, place]) =>
      Object.entries(places).some(([other, otherPlace]) => other < id && otherPlace === place),
    )
    if (twice !== undefined) throw refusal('BROKER_INVALID_PARAMETER', `${twice[1]} is the address of another member`)
    return places
  }

  #placeOf(members: Membership, id: string): string | undefined {
    return members.places?.[id] ?? this.#need.placesOfFile.get(id)
  }

  get #isSettled(): boolean {
    return this.#current?.index === this.#committed?.index && this.#current?.membership.outgoing.length === 0
  }

  #settled(deadlineMs: number): Promise<void> {
    const { clock } = this.#need
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined
      const waiter: Waiter = {
        look: () => {
          if (!this.#isSettled) return
          timer?.cancel()
          this.#waiters.delete(waiter)
          resolve()
        },
      }
      this.#waiters.add(waiter)
      timer = clock.after(Math.max(1, deadlineMs - clock.monotonicMs()), () => {
        this.#waiters.delete(waiter)
        reject(raftErrors.create('RAFT_CHANGE_UNDERWAY', 'the change is begun and not over yet; look at the list'))
      })
    })
  }
}

function roleOf({ voters, outgoing }: Membership, id: string): MemberRow['role'] {
  if (voters.includes(id)) return 'voter'
  return outgoing.includes(id) ? 'leaving' : 'learner'
}

const texts: Readonly<Record<ChangeRefusal, (change: MemberChange) => string>> = {
  RAFT_NOT_LEADER: () => 'this node does not lead any more',
  RAFT_TRANSFERRING: () => 'leadership is being handed over, or the disk is full',
  RAFT_BUSY: () => 'too many entries wait to be committed',
  RAFT_CHANGE_UNDERWAY: () => 'one change at a time: another one is under way',
  RAFT_TOO_MANY_MEMBERS: () => 'the group has as many members, or as many that left, as it can',
  RAFT_ID_USED: () => 'ids are never used again',
  RAFT_NOT_CAUGHT_UP: (change) =>
    `${'by' in change ? change.by : change.id} is no learner that answers and has nearly the whole log yet`,
  RAFT_WOULD_LOSE_QUORUM: (change) =>
    `${change.kind} ${change.id}: of the members that answer now there is no quorum before or after it`,
}

function textOf(code: ChangeRefusal, change: MemberChange): string {
  return texts[code](change)
}
