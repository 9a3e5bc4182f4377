/**
 * What is committed stays. Keeps the one log that the group agreed on and compares every replica with it.
 *
 * Verifies: an index is committed once, with one entry; every replica that says "committed" holds that entry; a leader
 * holds from its first moment every entry that was committed in a term before its own (leader completeness, Raft §5.4.3);
 * an entry is on the disks of a majority when it is committed for the first time. Does not verify what followers answer
 * before they know a commit: nothing is visible then. A commit counts as one of the earliest term in which anybody tells it.
 */
import type { Index, NodeId, Term } from '../../../src/raft/types.ts'
import type { Entry } from '../disk.ts'
import { Violation } from '../../world/violation.ts'

export interface ReplicaView {
  readonly id: NodeId
  readonly term: Term
  readonly startIndex: Index
  readonly lastIndex: Index
  entryAt(index: Index): Entry | undefined
}

export class CommittedChecker {
  readonly #log: Entry[] = []
  readonly #digests: number[] = [0]
  /** The highest index that anybody in that term told as committed. */
  readonly #committedIn = new Map<Term, Index>()

  get lastIndex(): Index {
    return this.#log.length
  }

  entryAt(index: Index): Entry | undefined {
    return this.#log[index - 1]
  }

  digestAt(index: Index): number {
    const digest = this.#digests[index]
    if (digest === undefined)
      throw new Violation('committed', `a state is asked for at ${index}, which is not committed`)
    return digest
  }

  /** `replica` says that everything up to `index` is committed; it had said so up to `from` before. */
  committed(
    replica: ReplicaView,
    from: Index,
    index: Index,
    onMajority: (index: Index, entry: Entry) => boolean,
  ): void {
    if (index > replica.lastIndex) {
      throw new Violation('committed', `${replica.id} commits ${index}, its log ends at ${replica.lastIndex}`)
    }
    this.#committedIn.set(replica.term, Math.max(index, this.#committedIn.get(replica.term) ?? 0))
    for (let at = Math.max(from, replica.startIndex) + 1; at <= index; at++) {
      const entry = replica.entryAt(at)
      if (entry === undefined) throw new Violation('committed', `${replica.id} commits ${at}, which it does not hold`)
      if (at === this.#log.length + 1) {
        // Entries below the newest of one step are committed by it.
        if (!onMajority(at, entry)) {
          throw new Violation('durable', `${replica.id} commits ${at}, which is not on the disks of a majority`)
        }
        this.#log.push(entry)
        const before = this.#digests[at - 1] ?? 0
        this.#digests.push(Math.imul(before ^ (entry.term * 31 + entry.value), 0x9e3779b1))
        continue
      }
      this.#compare(replica, at, entry)
    }
  }

  /**
   * A new leader. Votes that come late may elect one of a term that others have left: it can commit nothing, and need not
   * hold what they did.
   */
  leads(replica: ReplicaView): void {
    let before: Index = 0
    for (const [term, index] of this.#committedIn) if (term < replica.term) before = Math.max(before, index)
    this.holdsAll(replica, before)
  }

  /**
   * The first entry, committed in a term before its own, that a new leader lacks; undefined: none. After an election that
   * stood on logs in doubt it may be gone.
   */
  lackedBy(replica: ReplicaView): Index | undefined {
    let before: Index = 0
    for (const [term, index] of this.#committedIn) if (term < replica.term) before = Math.max(before, index)
    for (let at = replica.startIndex + 1; at <= before; at++) {
      const agreed = this.#log[at - 1]
      const entry = replica.entryAt(at)
      if (entry?.term !== agreed?.term || entry?.value !== agreed?.value) return at
    }
    return undefined
  }

  /** What was committed after `index` is lost, and the group says so. */
  loseAfter(index: Index): void {
    this.#log.length = index
    this.#digests.length = index + 1
    for (const [term, committed] of this.#committedIn) this.#committedIn.set(term, Math.min(committed, index))
  }

  holdsAll(replica: ReplicaView, upTo: Index): void {
    for (let at = upTo; at > replica.startIndex; at--) {
      const entry = replica.entryAt(at)
      if (entry === undefined) {
        throw new Violation('completeness', `${replica.id} leads or is done without the committed entry ${at}`)
      }
      this.#compare(replica, at, entry)
    }
  }

  #compare(replica: ReplicaView, at: Index, entry: Entry): void {
    const agreed = this.#log[at - 1]
    if (agreed?.term === entry.term && agreed.value === entry.value) return
    throw new Violation(
      'committed',
      `${replica.id} holds (${entry.term}, ${entry.value}) at ${at}, where (${agreed?.term}, ${agreed?.value}) is committed`,
    )
  }
}
