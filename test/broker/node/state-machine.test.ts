import { describe, expect, test } from 'vitest'
import { StateMachine, type AppliedEntry } from '../../../src/broker/log/state-machine.ts'
import { encodeCommand } from '../../../src/broker/tables/command-codec.ts'
import type { ReplicatedTable } from '../../../src/broker/needs.ts'
import { ManualClock } from '../../support/manual-clock.ts'

function entry(index: number, more: Partial<AppliedEntry> = {}): AppliedEntry {
  return {
    id: { index, term: 1 },
    timestampMs: index,
    command: undefined,
    recordCount: 0,
    frame: Buffer.alloc(0),
    ...more,
  }
}

function table(heard: string[]): ReplicatedTable {
  return {
    name: 't',
    apply: (op, args) => {
      heard.push(`${op} ${args.join()}`)
      return `did ${op}`
    },
    takeChanges: () => new Map(),
    rows: () => [],
    load: () => {},
  }
}

type Read = ConstructorParameters<typeof StateMachine>[0]['readEntries']

function machine(entries: readonly AppliedEntry[], tablesIndex = 0, read?: Read) {
  const heard: string[] = []
  const clock = new ManualClock()
  const made = new StateMachine(
    {
      readEntries: read ?? ((first, last) => entries.slice(first - 1, Math.min(last, first + 1))),
      tables: new Map([['t', table(heard)]]),
      begin: () => {},
      dispatch: (one) => one.recordCount > 0 && heard.push(`queues ${one.id.index}`),
      passedOver: (one, passed) => heard.push(`passed over ${one.id.index} ${passed.op}`),
      applied: (one, command, result) => heard.push(`applied ${one.id.index} ${command?.op ?? ''} ${String(result)}`),
      settled: (index) => heard.push(`settled ${index}`),
      ease: () => undefined,
      fatal: (error) => heard.push(`fatal ${error.message}`),
      clock,
    },
    { appliedIndex: 0, tablesIndex },
  )
  return { made, heard, clock }
}

const command = encodeCommand({ table: 't', op: 'put', args: [1] }, 1)

describe('the state machine', () => {
  test('stops at once while it waits for an entry that does not come, and what comes later changes nothing', async () => {
    const reads: ((entries: readonly AppliedEntry[]) => void)[] = []
    const { made, heard } = machine([], 0, () => new Promise((resolve) => reads.push(resolve)))
    made.committed(2)
    made.stop()
    made.restart({ appliedIndex: 1, tablesIndex: 1 })
    reads[0]?.([entry(1)])
    reads[1]?.([entry(2)])
    await Promise.resolve()
    await Promise.resolve()
    expect(heard).toEqual(['applied 2  undefined', 'settled 2'])
  })

  test("applies an entry's command before its records, and answers after both", () => {
    const { made, heard } = machine([entry(1, { command, recordCount: 2 })])
    made.committed(1)
    expect(heard).toEqual(['put 1', 'queues 1', 'applied 1 put did put', 'settled 1'])
  })

  test('gives the event loop a turn between batches, and wakes who waits for an index', async () => {
    const { made, heard, clock } = machine([entry(1), entry(2), entry(3)])
    let woken = false
    const waiting = made.whenApplied(3).then(() => (woken = true))
    made.committed(3)
    expect(made.appliedIndex).toBe(2)
    await Promise.resolve()
    expect(woken).toBe(false)
    clock.turn()
    await waiting
    expect(heard.filter((line) => line.startsWith('settled'))).toEqual(['settled 2', 'settled 3'])
    await expect(made.whenApplied(2)).resolves.toBeUndefined()
  })

  test('does not repeat the commands that a snapshot holds, but fills the queues', () => {
    const { made, heard } = machine([entry(1, { command, recordCount: 1 }), entry(2, { command })], 1)
    made.committed(2)
    expect(heard).toEqual([
      'passed over 1 put',
      'queues 1',
      'applied 1  undefined',
      'put 1',
      'applied 2 put did put',
      'settled 2',
    ])
  })

  test('an entry out of order ends the node instead of being applied', async () => {
    const { made, heard } = machine([entry(2)])
    made.committed(1)
    await Promise.resolve()
    await Promise.resolve()
    expect(heard).toEqual([expect.stringContaining('fatal')])
  })
})
