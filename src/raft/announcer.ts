/** Tells a replica's owner what changed: once, in an order that it can rely on, and never from within its own call. */
import type { RaftCore } from './core.ts'
import type { LogState, ReplicaEvents, RoleState } from './ports.ts'
import type { Index } from './types.ts'

export class Announcer {
  readonly #core: RaftCore
  readonly #events: ReplicaEvents
  #role: RoleState
  #commit: Index
  #stable: Index
  #truncatedTo: Index | undefined
  #reset: LogState | undefined
  /** Indexes of the memberships told last: the current one, and the committed one. */
  #members: readonly [current: Index, committed: Index] = [-1, -1]
  /** What each learner held when it was told last; -1 of one whose connection broke. */
  #learners: readonly Index[] = []

  constructor(core: RaftCore, events: ReplicaEvents) {
    this.#core = core
    this.#events = events
    this.#role = this.#roleNow()
    this.#commit = core.node.commit
    this.#stable = core.node.stable
  }

  truncated(index: Index): void {
    this.#truncatedTo = Math.min(index, this.#truncatedTo ?? index)
  }

  reset(state: LogState): void {
    this.#reset = state
  }

  /** Cuts and resets first: what follows speaks of the log after them. */
  tell(): void {
    const { node } = this.#core
    if (this.#truncatedTo !== undefined) {
      const index = this.#truncatedTo
      this.#truncatedTo = undefined
      this.#events.truncated(index)
    }
    if (this.#reset !== undefined) {
      const state = this.#reset
      this.#reset = undefined
      this.#commit = Math.max(this.#commit, state.start.index)
      this.#events.reset(state)
    }
    this.#tellMembers()
    this.#tellLearners()
    const role = this.#roleNow()
    if (role.role !== this.#role.role || role.term !== this.#role.term || role.leader !== this.#role.leader) {
      this.#role = role
      this.#events.roleChanged(role)
    }
    if (node.stable !== this.#stable) {
      this.#stable = node.stable
      this.#events.stable?.(node.stable)
    }
    if (node.commit > this.#commit) {
      this.#commit = node.commit
      this.#events.committed(node.commit)
    }
  }

  #tellMembers(): void {
    const { memberships, commit } = this.#core.node
    const committed = memberships.at(commit)
    const [current, before] = this.#members
    if (memberships.currentIndex === current && committed.index === before) return
    this.#members = [memberships.currentIndex, committed.index]
    this.#events.members?.(memberships.at(memberships.currentIndex), committed)
  }

  #tellLearners(): void {
    const { node, leading } = this.#core
    const { learners } = node.membership
    if (learners.length === 0 || leading === undefined) return
    const held = learners.map((id) => {
      const progress = leading.progress.get(id)
      return progress === undefined || progress.isLost ? -1 : progress.match
    })
    if (held.length === this.#learners.length && held.every((match, at) => match === this.#learners[at])) return
    this.#learners = held
    this.#events.learnersMoved?.()
  }

  #roleNow(): RoleState {
    const { role, term, leader } = this.#core
    return { role: role === 'preCandidate' ? 'follower' : role, term, leader }
  }
}
