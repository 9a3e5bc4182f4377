import { assert, expect, test } from 'vitest'
import { EarlyGate } from '../../../src/broker/log/early-gate.ts'
import type { Early } from '../../../src/store/early-file.ts'

interface World {
  readonly gate: EarlyGate
  readonly file: { value: Early }
  readonly group: { early: number; isReachable: boolean }
  readonly saved: Early[]
  readonly opened: () => number
}

function world(value: Early, early = 0): World {
  const saved: Early[] = []
  const group = { early, isReachable: true }
  let opened = 0
  const file = {
    value,
    save(next: Early) {
      saved.push(next)
      file.value = next
      return Promise.resolve()
    },
  }
  const told = {
    earlyTerm: () => group.early,
    tell(term: number) {
      if (!group.isReachable) return Promise.reject(new Error('nobody leads'))
      group.early = term
      return Promise.resolve()
    },
  }
  const gate = new EarlyGate({ file, group: told, opened: () => opened++, fatal: () => assert.fail() })
  return { gate, file, group, saved, opened: () => opened }
}

/** Everything that is promised here is done at once. */
const done = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('nothing is acknowledged early before it is on disk that it may be', async () => {
  const { gate, opened } = world({ term: 0, all: false })
  expect(gate.isOpen(5, false)).toBe(false)
  await done()
  expect([gate.isOpen(5, false), opened()]).toEqual([true, 1])
  expect(gate.isOpen(5, true)).toBe(false)
  await done()
  expect([gate.isOpen(5, true), opened()]).toEqual([true, 2])
})

test('nothing is acknowledged early before what was in an older term is accounted for', () => {
  const { gate, file, saved } = world({ term: 3, all: true })
  expect(gate.isOpen(5, false)).toBe(false)
  expect(saved).toEqual([])
  file.value = { term: 0, all: false }
  expect(gate.isOpen(5, false)).toBe(false)
  expect(saved).toEqual([{ term: 5, all: false }])
})

test('messages that do not wait are acknowledged early only once the group knows that they may be', async () => {
  const { gate, group, opened } = world({ term: 0, all: false })
  group.isReachable = false
  expect(gate.isOpen(5, false)).toBe(false)
  await done()
  expect([gate.isOpen(5, false), opened()]).toEqual([false, 0])
  await done()
  group.isReachable = true
  expect(gate.isOpen(5, false)).toBe(false)
  await done()
  expect([gate.isOpen(5, false), opened(), group.early]).toEqual([true, 1, 5])
})

test('the group is not told of a term while those of another leader are not accounted for', async () => {
  const { gate, group, saved } = world({ term: 0, all: false }, 4)
  expect(gate.isOpen(5, false)).toBe(false)
  await done()
  expect([group.early, saved]).toEqual([4, []])
})

test('async replication says by itself that messages are acknowledged early', async () => {
  const { gate, group } = world({ term: 0, all: false })
  expect(gate.isOpen(5, true)).toBe(false)
  await done()
  expect([gate.isOpen(5, true), group.early]).toEqual([true, 0])
})
