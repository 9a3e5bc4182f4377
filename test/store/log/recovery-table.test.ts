import { describe, expect, test } from 'vitest'
import {
  type Case,
  FOLDER_CASES,
  FOLDER_FACTS,
  FRAME_CASES,
  FRAME_FACTS,
  SEGMENT_CASES,
  SEGMENT_FACTS,
  decide,
  matches,
} from '../../../src/store/recovery-table.ts'

/** Every combination of values. */
function combinations(facts: Readonly<Record<string, readonly string[]>>): Record<string, string>[] {
  let all: Record<string, string>[] = [{}]
  for (const [fact, values] of Object.entries(facts)) {
    all = all.flatMap((one) => values.map((value) => ({ ...one, [fact]: value })))
  }
  return all
}

const TABLES: [string, readonly Case<string>[], Readonly<Record<string, readonly string[]>>][] = [
  ['folder', FOLDER_CASES, FOLDER_FACTS],
  ['segment', SEGMENT_CASES, SEGMENT_FACTS],
  ['frame', FRAME_CASES, FRAME_FACTS],
]

describe.each(TABLES)('the recovery table of a %s', (_name, table, facts) => {
  test('has exactly one row for everything that can be found', () => {
    for (const found of combinations(facts)) {
      expect(
        table.filter((one) => matches(one, found)),
        JSON.stringify(found),
      ).toHaveLength(1)
    }
  })

  test('names only facts and values that there are', () => {
    for (const one of table) {
      for (const [fact, values] of Object.entries(one.when)) {
        for (const value of values) expect(facts[fact]).toContain(value)
      }
    }
  })
})

test('a found state outside the tables is a bug, not a guess', () => {
  expect(() => decide(FRAME_CASES, { zone: 'nowhere', frame: 'bad' })).toThrow('recovery case')
})
