import { expect, test } from 'vitest'
import { Invocations } from '../../src/remoting/invocations.ts'

test('requests that wait for answers say by when to look at them, and again for what is due after that', () => {
  const wanted: number[] = []
  const ended: string[] = []
  const invocations = new Invocations((deadlineMs) => wanted.push(deadlineMs))
  const add = (opaque: number, deadlineMs: number): void =>
    invocations.add(opaque, deadlineMs, (error) => ended.push(`${opaque} ${error?.message}`))
  add(1, 3_000)
  add(2, 1_000)
  add(3, 2_000)
  expect(wanted.splice(0)).toEqual([3_000, 1_000])
  invocations.sweep(1_000, 'a')
  expect(ended.splice(0)).toEqual(['2 no answer from a in time'])
  expect(wanted.splice(0)).toEqual([2_000])
  invocations.sweep(3_000, 'a')
  expect(ended).toHaveLength(2)
  expect(wanted).toEqual([])
})
