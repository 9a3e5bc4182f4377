import { expect, test } from 'vitest'
import { knownKeys, nearestName, shapeFault } from '../../src/lib/known-keys.ts'

const known = knownKeys<{ topic: string; tag?: string; sendTimeoutMs?: number; retries?: number }>({
  topic: true,
  tag: true,
  sendTimeoutMs: true,
  retries: true,
})

test('an object whose keys are all known has no fault', () => {
  expect(shapeFault({ topic: 'T', tag: undefined }, 'a thing', known)).toBeUndefined()
  expect(shapeFault({}, 'a thing', known)).toBeUndefined()
})

test.each([
  [{ sendTimeout: 1 }, 'a thing has no sendTimeout; did you mean sendTimeoutMs?'],
  [{ tags: 'a' }, 'a thing has no tags; did you mean tag?'],
  [{ Topic: 'T' }, 'a thing has no Topic; did you mean topic?'],
  [{ foo: 1 }, 'a thing has no foo'],
  [undefined, 'a thing takes an object, not undefined'],
  ['T', 'a thing takes an object, not T'],
])('%j is told as it is', (given, fault) => {
  expect(shapeFault(given, 'a thing', known)).toBe(fault)
})

test.each([
  ['delayTimeLevel', 'delayLevel'],
  ['delay', 'delayMs'],
  ['namesrvAddr', 'namesrv'],
  ['groupName', 'group'],
  ['retires', 'retries'],
  ['x', undefined],
  ['x'.repeat(10_000), undefined],
])('who writes %s means %s', (given, meant) => {
  expect(nearestName(given, ['delayLevel', 'delayMs', 'namesrv', 'group', 'retries'])).toBe(meant)
})
