/**
 * Verifies: one leader a term (Raft §5.2), and one vote a term from one disk, across restarts. Does not verify votes
 * across a wiped disk: there a second vote may be cast, and the first two rules must hold all the same.
 */
import type { NodeId, Term } from '../../../src/raft/types.ts'
import { Violation } from '../../world/violation.ts'

export class ElectionChecker {
  readonly #leaders = new Map<Term, NodeId>()
  readonly #votes = new Map<string, NodeId>()

  get terms(): number {
    return this.#leaders.size
  }

  leads(id: NodeId, term: Term): void {
    const other = this.#leaders.get(term)
    if (other !== undefined && other !== id) throw new Violation('election', `${other} and ${id} lead in term ${term}`)
    this.#leaders.set(term, id)
  }

  /** A vote left `from` (whose disk has the number `disk`). */
  votes(from: NodeId, disk: number, term: Term, candidate: NodeId): void {
    const key = `${from}/${disk}/${term}`
    const other = this.#votes.get(key)
    if (other !== undefined && other !== candidate) {
      throw new Violation('vote', `${from} votes for ${other} and ${candidate} in term ${term}`)
    }
    this.#votes.set(key, candidate)
  }
}
