import { describe, expect, test } from 'vitest'
import { lossCommands, Losses } from '../../src/broker/tables/losses.ts'
import type { Command } from '../../src/broker/needs.ts'

function apply(table: Losses, ...commands: readonly Command[]): void {
  for (const { op, args } of commands) table.apply(op, args)
}

const none = { node: 'n0', messages: 0, bytes: 0 }

describe('the table of losses', () => {
  test('an election opens an interval, and the log of the leader before it narrows it', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 5, maxBytes: 100, inDoubt: false }))
    apply(table, lossCommands.open({ term: 5, maxBytes: 999, inDoubt: false }))
    expect(table.all).toEqual([{ term: 5, maxBytes: 100, inDoubt: false, found: undefined }])
    apply(table, lossCommands.seen(4, { node: 'n0', messages: 3, bytes: 30 }))
    expect(table.all[0]?.found).toEqual({ node: 'n0', messages: 3, bytes: 30 })
  })

  test('a leader narrows the election that followed it, and no other', () => {
    const table = new Losses()
    for (const term of [5, 8, 11]) apply(table, lossCommands.open({ term, maxBytes: 100, inDoubt: false }))
    apply(table, lossCommands.seen(7, none))
    expect(table.all.map(({ term, found }) => [term, found !== undefined])).toEqual([
      [5, false],
      [8, true],
      [11, false],
    ])
  })

  test('what logs in doubt lost is found by nobody; what did not wait is told though nobody declared it', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 5, maxBytes: 100, inDoubt: true }), lossCommands.seen(4, none))
    expect(table.all).toEqual([{ term: 5, maxBytes: 100, inDoubt: true, found: undefined }])
    apply(table, lossCommands.seen(6, { node: 'n1', messages: 1, bytes: 7 }))
    expect(table.all.at(-1)).toEqual({
      term: 7,
      maxBytes: 7,
      inDoubt: false,
      found: { node: 'n1', messages: 1, bytes: 7 },
    })
  })

  test('what did not wait is told beside what logs in doubt lost in the same election, once', () => {
    const table = new Losses()
    const found = { node: 'n1', messages: 1, bytes: 7 }
    apply(table, lossCommands.open({ term: 5, maxBytes: 100, inDoubt: true }))
    apply(table, lossCommands.seen(4, found), lossCommands.seen(4, found))
    expect(table.all).toEqual([{ term: 5, maxBytes: 107, inDoubt: true, found }])
  })

  test('what a leader lost is told also where who led before it has told of the same election, and nobody tells twice', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 8, maxBytes: 100, inDoubt: false }), lossCommands.seen(3, none))
    const [one, two] = [
      { node: 'n1', messages: 1, bytes: 7 },
      { node: 'n2', messages: 10, bytes: 70 },
    ]
    apply(table, lossCommands.seen(7, two), lossCommands.seen(7, two), lossCommands.seen(6, none))
    expect(table.all).toEqual([{ term: 8, maxBytes: 100, inDoubt: false, found: two }])
    apply(table, lossCommands.seen(6, one), lossCommands.seen(6, one), lossCommands.seen(7, two))
    const found = { node: 'n2,n1', messages: 11, bytes: 77 }
    expect(table.all).toEqual([{ term: 8, maxBytes: 107, inDoubt: false, found }])
  })

  test('a leader that had lost nothing narrows no election but the next', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 4, maxBytes: 100, inDoubt: false }), lossCommands.seen(3, none))
    apply(table, lossCommands.open({ term: 8, maxBytes: 100, inDoubt: false }), lossCommands.seen(3, none))
    expect(table.all.map(({ found }) => found !== undefined)).toEqual([true, false])
  })

  test('a term in which messages did not wait is known until the election after it is declared, or its leader has told', () => {
    const table = new Losses()
    apply(table, lossCommands.early(4), lossCommands.seen(3, none))
    expect(table.earlyTerm).toBe(4)
    const copy = new Losses()
    copy.load(table.takeChanges())
    expect([copy.earlyTerm, copy.all]).toEqual([4, []])
    apply(table, lossCommands.open({ term: 6, maxBytes: 100, inDoubt: false }))
    expect([table.earlyTerm, [...table.takeChanges()].find(([key]) => key === 'early')]).toEqual([
      0,
      ['early', undefined],
    ])
    apply(copy, lossCommands.seen(4, none))
    expect([copy.earlyTerm, copy.all]).toEqual([0, []])
  })

  test('keeps the newest, and comes back from its rows', () => {
    const table = new Losses()
    const snapshot = new Map<string, unknown>()
    const write = (): void => {
      for (const [key, value] of table.takeChanges()) {
        if (value === undefined) snapshot.delete(key)
        else snapshot.set(key, value)
      }
    }
    for (let term = 1; term <= 40; term++) {
      apply(table, lossCommands.open({ term, maxBytes: term, inDoubt: false }))
      if (term % 7 === 0) write()
    }
    write()
    expect(table.all.map(({ term }) => term)).toEqual(Array.from({ length: 32 }, (_, at) => at + 9))
    const other = new Losses()
    other.load(snapshot)
    expect(other.all).toEqual(table.all)
    expect([...other.rows()]).toEqual([...table.rows()])
  })
})
