/**
 * Memberships in the log. The last one counts from the moment it is appended, committed or not (thesis §4.1), and the
 * one before it counts again when it is cut off.
 */
import { assert } from '../lib/assert.ts'
import type { Index, Membership, MembershipEntry, MembershipTarget, NodeId } from './types.ts'

export class Memberships {
  #entries: MembershipEntry[]

  /** `configured` counts until the log brings one, and again if that one is cut off. */
  constructor(configured: Membership, fromLog: readonly MembershipEntry[], startIndex: Index) {
    const first = fromLog[0]
    const isBased = first !== undefined && first.index <= startIndex
    this.#entries = isBased ? [...fromLog] : [{ index: 0, membership: configured }, ...fromLog]
  }

  get current(): Membership {
    return this.#last.membership
  }

  /** The membership before the current one, if it is kept. */
  get previous(): Membership | undefined {
    return this.#entries.at(-2)?.membership
  }

  get currentIndex(): Index {
    return this.#last.index
  }

  append(entry: MembershipEntry): void {
    assert(entry.index > this.currentIndex, `membership ${entry.index} follows ${this.currentIndex}`)
    this.#entries.push(entry)
  }

  /** Returns whether the current membership changed. */
  truncateAfter(index: Index): boolean {
    const before = this.#entries.length
    while (this.#entries.length > 1 && this.currentIndex > index) this.#entries.pop()
    return this.#entries.length !== before
  }

  /** Forgets what no truncation can bring back: everything before the one in force at `index`. */
  moveStart(index: Index): void {
    while ((this.#entries[1]?.index ?? Infinity) <= index) this.#entries.shift()
  }

  /** Memberships within `first..last`. */
  within(first: Index, last: Index): readonly MembershipEntry[] {
    if (this.currentIndex < first) return none
    return this.#entries.filter((entry) => entry.index >= first && entry.index <= last)
  }

  /** How far entries from `first` on, at most up to `last`, go with no more than `count` memberships among them. */
  reach(first: Index, last: Index, count: number): Index {
    const beyond = this.within(first, last)[count]
    return beyond === undefined ? last : beyond.index - 1
  }

  /** The membership in force at `index`. */
  at(index: Index): MembershipEntry {
    return this.#entries.findLast((entry) => entry.index <= index) ?? this.#first
  }

  get #first(): MembershipEntry {
    const first = this.#entries[0]
    assert(first !== undefined, 'there is always a membership')
    return first
  }

  get #last(): MembershipEntry {
    const last = this.#entries.at(-1)
    assert(last !== undefined, 'there is always a membership')
    return last
  }
}

const none: readonly MembershipEntry[] = []

/** Everybody who takes part, each once, in a stable order. */
export function membersOf(membership: Membership): readonly NodeId[] {
  return [...new Set([...membership.voters, ...membership.outgoing, ...membership.learners])].sort()
}

export function isVoter(membership: Membership, id: NodeId): boolean {
  return membership.voters.includes(id) || membership.outgoing.includes(id)
}

/** Whether a membership says that `id` is out for good. */
export function isRemoved(membership: Membership, id: NodeId): boolean {
  return membership.removed?.includes(id) ?? false
}

/** First step of a change: decisions need the old majority and the new one (thesis §4.3). */
export function enterJoint(current: Membership, target: MembershipTarget): Membership {
  assert(current.outgoing.length === 0, 'one change at a time')
  // A voter that becomes a learner keeps its vote until the change is over.
  const learnersNext = target.learners.filter((id) => current.voters.includes(id))
  const learners = target.learners.filter((id) => !learnersNext.includes(id))
  const joint = { ...current, voters: target.voters, outgoing: current.voters, learners, learnersNext }
  return tidied({ ...joint, places: { ...current.places, ...target.places } }, current)
}

/** Second step, once the first is committed: only the new majority counts. */
export function leaveJoint(joint: Membership): Membership {
  assert(joint.outgoing.length > 0, 'a joint membership is left')
  const learners = [...joint.learners, ...(joint.learnersNext ?? [])]
  return tidied({ ...joint, outgoing: [], learners, learnersNext: [] }, joint)
}

/** Who was in `before` and takes no part any more is out for good; what is empty is left out. */
function tidied(membership: Membership, before: Membership): Membership {
  const members = membersOf(membership)
  const gone = membersOf(before).filter((id) => !members.includes(id))
  const removed = [...(membership.removed ?? []), ...gone]
  const kept = Object.entries(membership.places ?? {}).filter(([id]) => members.includes(id))
  return withoutEmpty({ ...membership, removed, places: Object.fromEntries(kept) })
}

/** The same membership in the one form in which it is kept: what is empty is left out. */
export function withoutEmpty({
  voters,
  outgoing,
  learners,
  learnersNext = [],
  removed = [],
  places = {},
  clusterId,
}: Membership): Membership {
  return {
    voters,
    outgoing,
    learners,
    ...(learnersNext.length === 0 ? {} : { learnersNext }),
    ...(removed.length === 0 ? {} : { removed }),
    ...(Object.keys(places).length === 0 ? {} : { places }),
    ...(clusterId === undefined ? {} : { clusterId }),
  }
}
