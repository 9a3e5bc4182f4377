import { describe, expect, test } from 'vitest'
import { WaitingRoom } from '../../src/client/producer/waiting-room.ts'
import { ManualClock } from '../support/manual-clock.ts'

interface Setup {
  readonly clock: ManualClock
  readonly room: WaitingRoom<string>
  /** Address → how many more its connection takes. */
  readonly takes: Map<string, number>
  readonly gone: string[]
}

function setup(takes: Record<string, number>): Setup {
  const clock = new ManualClock()
  const left = new Map(Object.entries(takes))
  const gone: string[] = []
  const room = new WaitingRoom<string>({
    clock,
    hasRoom: (address) => (left.get(address) ?? 0) > 0,
    goOn: (waiting) => {
      const address = waiting.slice(0, 1)
      left.set(address, (left.get(address) ?? 0) - 1)
      gone.push(waiting)
    },
  })
  return { clock, room, takes: left, gone }
}

describe('sends whose connection has enough to write', () => {
  test('go on in their order as it takes more, and newcomers wait behind them', () => {
    const { clock, room, takes, gone } = setup({ a: 0 })
    expect(room.mustWait('a')).toBe(true)
    for (const send of ['a1', 'a2', 'a3']) room.add('a', send)
    clock.advance(100)
    expect(gone).toEqual([])
    takes.set('a', 2)
    clock.advance(10)
    expect(gone).toEqual(['a1', 'a2'])
    takes.set('a', 5)
    expect(room.mustWait('a')).toBe(true)
    room.add('a', 'a4')
    clock.advance(10)
    expect(gone).toEqual(['a1', 'a2', 'a3', 'a4'])
    expect(room.mustWait('a')).toBe(false)
  })

  test('do not wait for those of another connection', () => {
    const { clock, room, gone } = setup({ a: 0, b: 1 })
    room.add('a', 'a1')
    room.add('b', 'b1')
    clock.advance(10)
    expect(gone).toEqual(['b1'])
  })

  test('come back to the end when their connection refused them after all', () => {
    const clock = new ManualClock()
    const gone: string[] = []
    let takes = 1
    const room: WaitingRoom<string> = new WaitingRoom<string>({
      clock,
      hasRoom: () => takes > 0,
      goOn: (waiting) => {
        takes--
        if (waiting === 'first' && gone.length === 0) {
          gone.push('refused')
          room.add('a', waiting)
        } else gone.push(waiting)
      },
    })
    room.add('a', 'first')
    room.add('a', 'second')
    clock.advance(5)
    takes = 2
    clock.advance(5)
    expect(gone).toEqual(['refused', 'second', 'first'])
  })

  test('are taken out when their time is over, and the others stay', () => {
    const { clock, room, takes, gone } = setup({ a: 0 })
    for (const send of ['a1', 'a2', 'a3']) room.add('a', send)
    expect(room.take((waiting) => waiting === 'a2')).toEqual(['a2'])
    takes.set('a', 5)
    clock.advance(10)
    expect(gone).toEqual(['a1', 'a3'])
  })
})
