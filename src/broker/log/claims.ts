/**
 * What a leader has proposed something about and does not know the fate of yet: until it does, it proposes nothing else
 * about the same thing. A claim whose proposal is undecided lasts as long as the term: the next leader, and this node in
 * another term, find everything of earlier terms decided.
 */
import type { Leadership } from '../needs.ts'

export class Claims<Key> {
  readonly #leadership: Pick<Leadership, 'term'>
  #term = -1
  #keys = new Set<Key>()

  constructor(leadership: Pick<Leadership, 'term'>) {
    this.#leadership = leadership
  }

  has(key: Key): boolean {
    return this.#now().has(key)
  }

  /** Claims `keys`; what is returned gives them back, and does nothing in another term. */
  take(keys: Iterable<Key>): () => void {
    const claimed = [...keys]
    const held = this.#now()
    for (const key of claimed) held.add(key)
    return () => {
      for (const key of claimed) held.delete(key)
    }
  }

  #now(): Set<Key> {
    if (this.#term !== this.#leadership.term) {
      this.#term = this.#leadership.term
      this.#keys = new Set()
    }
    return this.#keys
  }
}
