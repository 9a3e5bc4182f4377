import { expect, test } from 'vitest'
import { lossesOf, lossText } from '../../src/cli/commands/loss-text.ts'
import { lossCommands, Losses } from '../../src/broker/tables/losses.ts'
import type { Command } from '../../src/broker/needs.ts'

function textOf(...commands: readonly Command[]): string {
  const table = new Losses()
  for (const { op, args } of commands) table.apply(op, args)
  return lossText({ losses: lossesOf(JSON.stringify(table.all)) })
}

const opened = lossCommands.open({ term: 9, maxBytes: 67_000_000, inDoubt: false })

test('an election of which nothing is known yet is shown with its bound, and one that lost nothing is not', () => {
  expect(textOf(opened)).toBe(
    '  the election of term 9 may have lost 0 to 67 MB of acknowledged messages (until the old leader is back)\n',
  )
  expect(textOf(opened, lossCommands.seen(8, { node: 'n0', messages: 0, bytes: 0 }))).toBe('')
})

test('what had rotted, and nobody has, is shown with its bound', () => {
  const rotten = lossCommands.seen(8, { node: 'n0', messages: 0, bytes: 0, rottenBytes: 4096 })
  expect(textOf(opened, rotten)).toBe('  the election of term 9 lost up to 4.1 kB that had rotted\n')
  expect(textOf(opened, lossCommands.seen(8, { node: 'n0', messages: 1, bytes: 7, rottenBytes: 4096 }))).toBe(
    '  the election of term 9 lost 1 message (7 B): set aside on n0 (raftmq lost)\n' +
      '  the election of term 9 lost up to 4.1 kB that had rotted\n',
  )
})

test('what an election lost is shown with the node that has it, and by terms where there were several', () => {
  const five = lossCommands.seen(5, { node: 'n0', messages: 1, bytes: 7 })
  const seven = lossCommands.seen(7, { node: 'n0', messages: 2, bytes: 23 })
  expect(textOf(opened, five)).toBe('  the election of term 9 lost 1 message (7 B): set aside on n0 (raftmq lost)\n')
  expect(textOf(opened, five, seven, five)).toBe(
    '  the election of term 9 lost 3 messages (30 B): 1 message (7 B) of term 5 set aside on n0, ' +
      '2 messages (23 B) of term 7 set aside on n0 (raftmq lost)\n',
  )
})
