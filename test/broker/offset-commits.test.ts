import { beforeEach, describe, expect, test } from 'vitest'
import { refusal } from '../../src/broker/errors.ts'
import { withOffsets } from '../../src/broker/group/handover.ts'
import { OffsetCommits } from '../../src/broker/clients/offset-commits.ts'
import { deferred, type Deferred } from '../../src/lib/deferred.ts'
import { ManualClock } from '../support/manual-clock.ts'

let clock: ManualClock
let commits: OffsetCommits
let proposed: Deferred<unknown>[]
/** What happened, in order. */
let seen: string[]

beforeEach(() => {
  clock = new ManualClock()
  proposed = []
  seen = []
  commits = new OffsetCommits({
    offsets: { get: () => -1 },
    proposals: {
      command: (command) => {
        seen.push(`proposed ${JSON.stringify(command.args)}`)
        const answer = deferred<unknown>()
        proposed.push(answer)
        return answer.promise
      },
    },
    clock,
    options: { periodMs: 200, maxPending: 100 },
  })
})

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
}

const transfer = (): Promise<void> =>
  withOffsets(
    {
      status: () => {
        throw new Error('nobody asks')
      },
      transferLeadership: (to) => {
        seen.push(`transfer to ${to}`)
        return Promise.resolve()
      },
    },
    commits,
  ).transferLeadership('n1')

describe('before leadership is handed over', () => {
  test('offsets that wait for their period are committed at once, and the transfer waits for them', async () => {
    commits.offer('t', 'g', 0, 5)
    clock.advance(1)
    expect(seen).toHaveLength(1)
    proposed[0]?.resolve(undefined)
    await settle()
    commits.offer('t', 'g', 0, 6)
    const transferred = transfer()
    await settle()
    expect(seen).toHaveLength(2)
    expect(seen[1]).toContain('6')
    proposed[1]?.resolve(undefined)
    await transferred
    expect(seen[2]).toBe('transfer to n1')
  })

  test('a command that is under way is waited for, and what came behind it goes with another', async () => {
    commits.offer('t', 'g', 0, 5)
    clock.advance(1)
    commits.offer('t', 'g', 0, 6)
    const transferred = transfer()
    await settle()
    expect(proposed).toHaveLength(1)
    proposed[0]?.resolve(undefined)
    await settle()
    expect(proposed).toHaveLength(2)
    proposed[1]?.resolve(undefined)
    await transferred
    expect(seen.at(-1)).toBe('transfer to n1')
  })

  test('offsets that come meanwhile are for the next leader', async () => {
    const transferred = transfer()
    expect(() => commits.offer('t', 'g', 0, 7)).toThrow('handed over')
    expect(() => commits.commit('t', 'g', 0, 7)).toThrow('handed over')
    await transferred
    commits.offer('t', 'g', 0, 7)
    expect(commits.pending('t', 'g', 0)).toBe(7)
  })

  test('a commit that does not come keeps leadership from moving for 200 ms and no longer', async () => {
    commits.offer('t', 'g', 0, 5)
    const transferred = transfer()
    await settle()
    clock.advance(199)
    await settle()
    expect(seen).toHaveLength(1)
    clock.advance(1)
    await transferred
    expect(seen[1]).toBe('transfer to n1')
  })

  test('a hand-over that fails leaves this node committing offsets as before', async () => {
    commits.offer('t', 'g', 0, 5)
    const handedOver = commits.handOver(200)
    await settle()
    proposed[0]?.reject(refusal('BROKER_BUSY', 'not now'))
    await handedOver
    commits.resume()
    clock.advance(200)
    expect(proposed).toHaveLength(2)
    expect(commits.pending('t', 'g', 0)).toBe(5)
  })
})
