import { expect, test } from 'vitest'
import { durability } from '../../src/broker/options/options-durability.ts'
import { FULL, planOf, QUICK, remaining, sameParameters, stepKey } from '../../src/compare/plan.ts'
import { acknowledgedWhen, BOUNDS, setupName, setupsOf, windowMs } from '../../src/compare/setups.ts'

test('every mode of a group is compared, and a single node beside it', () => {
  expect(setupsOf(3).map(setupName)).toEqual([
    '3 nodes, sync × sync',
    '3 nodes, async × sync',
    '3 nodes, sync × async',
    '3 nodes, async × async',
    '1 node, sync',
    '1 node, async',
  ])
  expect(setupsOf(1).map(setupName)).toEqual(['1 node, sync', '1 node, async'])
})

test('every setup has its turn in every round, with each step once', () => {
  const steps = planOf({ ...FULL, rounds: 2 })
  expect(steps).toHaveLength(2 * 6 * 3)
  expect(new Set(steps.map(stepKey)).size).toBe(steps.length)
  expect(steps.map(({ round }) => round)).toEqual(steps.map(({ round }) => round).toSorted((a, b) => a - b))
})

test('what has a result is not done again, whatever the order of the results', () => {
  const steps = planOf(QUICK)
  const [first, second, third, ...rest] = steps
  expect(
    remaining(
      QUICK,
      [third, first].flatMap((step) => step ?? []),
    ),
  ).toEqual([second, ...rest])
  expect(remaining(QUICK, steps)).toEqual([])
})

test('a comparison is the same when all its parameters are', () => {
  expect(sameParameters(QUICK, { ...QUICK })).toBe(true)
  for (const other of [{ nodes: 5 }, { rounds: 9 }, { kills: 9 }, { seconds: 9 }, { ratePerSecond: 9 }]) {
    expect(sameParameters(QUICK, { ...QUICK, ...other })).toBe(false)
  }
})

test('what a mode may lose is what the bounds of the nodes say', () => {
  expect(BOUNDS).toEqual({
    maxUnflushedMs: durability.maxUnflushedMs.default,
    maxUnreplicatedMs: durability.maxUnreplicatedMs.default,
  })
  expect(setupsOf(3).map((setup) => [windowMs(setup, 'kill'), windowMs(setup, 'power')])).toEqual([
    [0, 0],
    [0, 500],
    [1_000, 1_000],
    [1_000, 1_500],
    [0, 0],
    [0, 500],
  ])
  expect(new Set(setupsOf(3).map(acknowledgedWhen)).size).toBe(6)
})
