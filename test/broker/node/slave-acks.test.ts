import { describe, expect, test } from 'vitest'
import { SlaveAcks, type SlaveAnswer } from '../../../src/broker/log/slave-acks.ts'
import type { FollowerStatus } from '../../../src/raft/status.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const slave = (match: number, given: Partial<FollowerStatus> = {}): FollowerStatus => ({
  match,
  next: match + 1,
  state: 'replicate',
  filled: true,
  lagEntries: 0,
  lastContactMs: 10,
  isLost: false,
  isDiskGood: true,
  ...given,
})

interface Master {
  readonly acks: SlaveAcks
  readonly clock: ManualClock
  /** The slaves are these from now on. */
  readonly become: (slaves: Readonly<Record<string, FollowerStatus>>) => void
  /** What becomes of a send whose entry is `index`. */
  readonly send: (index: number) => SlaveAnswer[]
}

function master(slaves: Readonly<Record<string, FollowerStatus>>, needed = 1): Master {
  const clock = new ManualClock()
  let progress = slaves
  const acks = new SlaveAcks({
    replica: {
      status: () => ({ members: { voters: ['n0'], outgoing: [], learners: Object.keys(progress) }, progress }),
    },
    byteLength: (first, last) => 100 * (last - first + 1),
    clock,
    options: { needed, timeoutMs: 3_000, maxGapBytes: 10_000, silentMs: 20_000 },
  })
  acks.look()
  return {
    acks,
    clock,
    become(next) {
      progress = next
      acks.look()
    },
    send(index) {
      const answers: SlaveAnswer[] = []
      acks.confirm(index, (answer) => answers.push(answer))
      return answers
    },
  }
}

describe('a send to a SYNC_MASTER', () => {
  test('is answered once the slave holds it', () => {
    const { send, become } = master({ n1: slave(10) })
    expect(send(10)).toEqual(['held'])
    const [eleventh, twelfth] = [send(11), send(12)]
    expect(eleventh).toEqual([])
    become({ n1: slave(11) })
    expect(eleventh).toEqual(['held'])
    expect(twelfth).toEqual([])
    become({ n1: slave(15) })
    expect(twelfth).toEqual(['held'])
  })

  test.each([
    ['there is none', {}],
    ['its connection is broken', { n1: slave(10, { isLost: true }) }],
    ['it was not heard since the master started', { n1: slave(0) }],
    ['it is silent', { n1: slave(10, { lastContactMs: 20_001 }) }],
  ])('is answered at once that the slave is not available when %s', (_why, slaves) => {
    expect(master(slaves).send(11)).toEqual(['unavailable'])
  })

  test('does not wait for a slave that lacks too much, and waits again when it has caught up', () => {
    const { send, become } = master({ n1: slave(10) })
    expect(send(110)).toEqual(['unavailable'])
    expect(send(109)).toEqual([])
    become({ n1: slave(109) })
    expect(send(110)).toEqual([])
  })

  test('that waits for a slave which goes is answered that it is not available', () => {
    const { send, become } = master({ n1: slave(10) })
    const answer = send(11)
    become({ n1: slave(10, { isLost: true }) })
    expect(answer).toEqual(['unavailable'])
  })

  test('that a slave does not confirm in time is answered so', () => {
    const { send, clock } = master({ n1: slave(10) })
    const answer = send(11)
    clock.advance(2_999)
    expect(answer).toEqual([])
    clock.advance(60)
    expect(answer).toEqual(['late'])
  })

  test('waits for as many slaves as inSyncReplicas says', () => {
    const { send, become } = master({ n1: slave(11), n2: slave(10) }, 2)
    const answer = send(11)
    expect(answer).toEqual([])
    become({ n1: slave(11), n2: slave(11) })
    expect(answer).toEqual(['held'])
    become({ n1: slave(11), n2: slave(11, { isLost: true }) })
    expect(send(12)).toEqual(['unavailable'])
  })

  test('that waits when the master stops is not left without an answer', () => {
    const { send, acks } = master({ n1: slave(10) })
    const answer = send(11)
    acks.close()
    expect(answer).toEqual(['unavailable'])
  })
})
