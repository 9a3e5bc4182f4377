import { assert, expect, test } from 'vitest'
import { EarlyGate } from '../../../src/broker/log/early-gate.ts'
import type { Early } from '../../../src/store/early-file.ts'

interface World {
  readonly gate: EarlyGate
  readonly file: { value: Early }
  readonly saved: Early[]
  readonly opened: () => number
}

function world(value: Early): World {
  const saved: Early[] = []
  let opened = 0
  const file = {
    value,
    save(next: Early) {
      saved.push(next)
      file.value = next
      return Promise.resolve()
    },
  }
  const gate = new EarlyGate({ file, opened: () => opened++, fatal: () => assert.fail() })
  return { gate, file, saved, opened: () => opened }
}

test('nothing is acknowledged early before it is on disk that it may be', async () => {
  const { gate, opened } = world({ term: 0, all: false })
  expect(gate.isOpen(5, false)).toBe(false)
  await Promise.resolve()
  expect([gate.isOpen(5, false), opened()]).toEqual([true, 1])
  expect(gate.isOpen(5, true)).toBe(false)
  await Promise.resolve()
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
