import { describe, expect, test } from 'vitest'
import { CommittedChecker, type ReplicaView } from '../../sim/core/checkers/committed.ts'

function replica(id: string, term: number, ...terms: number[]): ReplicaView {
  const entries = terms.map((of, at) => ({ term: of, value: at }))
  return { id, term, startIndex: 0, lastIndex: entries.length, entryAt: (index) => entries[index - 1] }
}

const onMajority = (): boolean => true

describe('what a new leader must hold is what was committed in the terms before its own', () => {
  test('a leader of a later term without a committed entry is a violation', () => {
    const checker = new CommittedChecker()
    checker.committed(replica('n0', 3, 1, 3), 0, 2, onMajority)
    expect(() => checker.leads(replica('n1', 4, 1))).toThrow('n1 leads or is done without the committed entry 2')
    expect(() => checker.leads(replica('n1', 4, 1, 2))).toThrow('n1 holds (2, 1) at 2, where (3, 1) is committed')
    expect(() => checker.leads(replica('n1', 4, 1, 3))).not.toThrow()
  })

  test('a leader that a late vote elects in an earlier term may lack what was committed later, and nothing else', () => {
    const checker = new CommittedChecker()
    checker.committed(replica('n0', 1, 1), 0, 1, onMajority)
    checker.committed(replica('n0', 3, 1, 3), 1, 2, onMajority)
    expect(() => checker.leads(replica('n1', 2, 1))).not.toThrow()
    expect(() => checker.leads(replica('n1', 2))).toThrow('n1 leads or is done without the committed entry 1')
  })

  test('a commit that is told in an earlier term after a later one counts from the earlier one', () => {
    const checker = new CommittedChecker()
    checker.committed(replica('n0', 3, 1, 1), 0, 2, onMajority)
    checker.committed(replica('n2', 1, 1, 1), 0, 2, onMajority)
    expect(() => checker.leads(replica('n1', 2, 1))).toThrow('n1 leads or is done without the committed entry 2')
  })
})
