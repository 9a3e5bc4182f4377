import { describe, expect, test } from 'vitest'
import { type Loss, lossCommands, Losses } from '../../src/broker/tables/losses.ts'
import type { Command } from '../../src/broker/needs.ts'

function apply(table: Losses, ...commands: readonly Command[]): void {
  for (const { op, args } of commands) table.apply(op, args)
}

type Found = NonNullable<Loss['found']>

function foundBy(...reports: Found['reports']): Found {
  const sum = (of: 'messages' | 'bytes'): number => reports.reduce((all, report) => all + report[of], 0)
  return { messages: sum('messages'), bytes: sum('bytes'), reports }
}

const none = { node: 'n0', messages: 0, bytes: 0 }

describe('the table of losses', () => {
  test('an election opens an interval, and the log of the leader before it narrows it', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 5, maxBytes: 100, inDoubt: false }))
    apply(table, lossCommands.open({ term: 5, maxBytes: 999, inDoubt: false }))
    expect(table.all).toEqual([{ term: 5, maxBytes: 100, inDoubt: false, found: undefined }])
    apply(table, lossCommands.seen(4, { node: 'n0', messages: 3, bytes: 30 }))
    expect(table.all[0]?.found).toEqual(foundBy({ node: 'n0', term: 4, messages: 3, bytes: 30 }))
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
      found: foundBy({ node: 'n1', term: 6, messages: 1, bytes: 7 }),
    })
  })

  test('what had rotted counts as lost, is part of the bound, and outlives a restart', () => {
    const table = new Losses()
    const rotten = { node: 'n1', messages: 0, bytes: 0, rottenBytes: 40 }
    apply(table, lossCommands.seen(6, rotten))
    const found = { messages: 0, bytes: 0, rottenBytes: 40, reports: [{ term: 6, ...rotten }] }
    expect(table.all).toEqual([{ term: 7, maxBytes: 40, inDoubt: false, found }])
    // Declared afterwards, its row takes the bound of the election.
    apply(table, lossCommands.open({ term: 7, maxBytes: 100, inDoubt: false }))
    expect(table.all).toEqual([{ term: 7, maxBytes: 100, inDoubt: false, found }])
    const copy = new Losses()
    copy.load(table.rows())
    expect(copy.all).toEqual(table.all)
  })

  test('what did not wait is told beside what logs in doubt lost in the same election, once', () => {
    const table = new Losses()
    const lost = { node: 'n1', messages: 1, bytes: 7 }
    apply(table, lossCommands.open({ term: 5, maxBytes: 100, inDoubt: true }))
    apply(table, lossCommands.seen(4, lost), lossCommands.seen(4, lost))
    expect(table.all).toEqual([{ term: 5, maxBytes: 107, inDoubt: true, found: foundBy({ term: 4, ...lost }) }])
  })

  test('what a leader lost is told also where who led before it has told of the same election, and nobody tells twice', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 8, maxBytes: 100, inDoubt: false }), lossCommands.seen(3, none))
    const [one, two] = [
      { node: 'n1', messages: 1, bytes: 7 },
      { node: 'n2', messages: 10, bytes: 70 },
    ]
    apply(table, lossCommands.seen(7, two), lossCommands.seen(7, two), lossCommands.seen(6, none))
    expect(table.all).toEqual([{ term: 8, maxBytes: 100, inDoubt: false, found: foundBy({ term: 7, ...two }) }])
    apply(table, lossCommands.seen(6, one), lossCommands.seen(6, one), lossCommands.seen(7, two))
    const found = foundBy({ term: 7, ...two }, { term: 6, ...one })
    expect(table.all).toEqual([{ term: 8, maxBytes: 107, inDoubt: false, found }])
  })

  test('what a node lost in each of the terms that it led before one election is counted, and no report of it twice', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 9, maxBytes: 100, inDoubt: false }))
    const [early, late] = [
      { node: 'n0', messages: 1, bytes: 7 },
      { node: 'n0', messages: 2, bytes: 23 },
    ]
    apply(table, lossCommands.seen(5, early), lossCommands.seen(5, early))
    apply(table, lossCommands.seen(7, late), lossCommands.seen(5, early), lossCommands.seen(7, late))
    const reports = [
      { term: 5, ...early },
      { term: 7, ...late },
    ]
    const row = { term: 9, maxBytes: 123, inDoubt: false, found: { messages: 3, bytes: 30, reports } }
    expect(table.all).toEqual([row])
    const copy = new Losses()
    copy.load(table.takeChanges())
    apply(copy, lossCommands.seen(7, late))
    expect(copy.all).toEqual([row])
  })

  test('an election that is declared only after its loss was told has its bound all the same, once', () => {
    const lost = { node: 'n0', messages: 1, bytes: 7 }
    const found = foundBy({ term: 4, ...lost })
    for (const inDoubt of [false, true]) {
      const table = new Losses()
      const opened = lossCommands.open({ term: 5, maxBytes: 100, inDoubt })
      apply(table, lossCommands.seen(4, lost), opened, opened, lossCommands.seen(4, lost))
      expect(table.all).toEqual([{ term: 5, maxBytes: inDoubt ? 107 : 100, inDoubt, found }])
    }
  })

  test('the newest reports of a row are kept, and the sums count them all', () => {
    const table = new Losses()
    apply(table, lossCommands.open({ term: 99, maxBytes: 0, inDoubt: false }))
    for (let term = 1; term <= 40; term++) apply(table, lossCommands.seen(term, { node: 'n0', messages: 1, bytes: 10 }))
    const found = table.all[0]?.found
    expect([found?.messages, found?.bytes]).toEqual([40, 400])
    expect(found?.reports.map(({ term }) => term)).toEqual(Array.from({ length: 32 }, (_, at) => at + 9))
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
