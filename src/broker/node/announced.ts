/** What name servers are told of this node's leadership. */
import type { Leadership } from '../needs.ts'

/**
 * A leader is announced once the topics that every group begins with are there (`isFormed`). What a slave says is never
 * weighed against another's by its term: it comes with an empty disk, and so with none, again and again.
 */
export function announced(
  leadership: Pick<Leadership, 'isReady' | 'term'>,
  { isFormed, isSlave }: { readonly isFormed: () => boolean; readonly isSlave: boolean },
): Pick<Leadership, 'isReady' | 'term'> {
  return {
    get isReady() {
      return leadership.isReady && isFormed()
    },
    get term() {
      return isSlave ? 0 : leadership.term
    },
  }
}
