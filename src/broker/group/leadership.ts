/**
 * Who leads, as this node knows it, and whether this leader may answer yet. A leader is *ready* once an entry of its own
 * term is applied here: only then does it know every queue's end, every offset and every lock (Raft §8, thesis §6.4).
 */
import { brokerErrors } from '../errors.ts'
import type { Leadership as LeadershipNeed } from '../needs.ts'

export interface LeaderView {
  readonly role: 'follower' | 'candidate' | 'leader'
  readonly term: number
  readonly leader: string | null
}

export interface LeadershipNeeds {
  /** Raft's read index; rejects when this node does not lead or loses its quorum. */
  readonly readIndex: () => Promise<number>
  /** Resolves once everything up to the index is applied here. */
  readonly whenApplied: (index: number) => Promise<void>
  /** A slave never leads, and has nobody to ask while its master is away. */
  readonly isSlave: boolean
}

export class Leadership implements LeadershipNeed {
  readonly #need: LeadershipNeeds
  readonly #listeners: (() => void)[] = []
  #view: LeaderView = { role: 'follower', term: 0, leader: null }
  #appliedTerm = 0

  constructor(need: LeadershipNeeds) {
    this.#need = need
  }

  get isReady(): boolean {
    return this.#view.role === 'leader' && this.#appliedTerm === this.#view.term
  }

  /** A slave whose master is away: what it has is all there is to be read. */
  get isAlone(): boolean {
    return this.#need.isSlave && this.#view.leader === null
  }

  get term(): number {
    return this.#view.term
  }

  get view(): LeaderView {
    return this.#view
  }

  /** Calls `listener` after every change of role, term, leader or readiness. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  roleChanged(view: LeaderView): void {
    this.#view = view
    this.#tell()
  }

  /** The state machine applied an entry of `term`. */
  applied(term: number): void {
    if (term === this.#appliedTerm) return
    this.#appliedTerm = term
    this.#tell()
  }

  async readBarrier(): Promise<void> {
    if (this.isAlone) return
    if (!this.isReady) throw brokerErrors.create('BROKER_NOT_LEADER', 'this node does not lead')
    let index: number
    try {
      index = await this.#need.readIndex()
    } catch (error) {
      throw brokerErrors.create('BROKER_NOT_LEADER', 'no quorum confirms that this node leads', error)
    }
    await this.#need.whenApplied(index)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }
}
