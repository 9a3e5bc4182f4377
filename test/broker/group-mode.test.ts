import { describe, expect, test } from 'vitest'
import { asksForSyncFlush, GroupMode, modeCommands } from '../../src/broker/group/group-mode.ts'
import { ModeSwitch } from '../../src/broker/group/mode-switch.ts'
import type { Command } from '../../src/broker/needs.ts'
import { ManualClock } from '../support/manual-clock.ts'
import type { Log } from '../../src/lib/log.ts'

function apply(table: GroupMode, { op, args }: Command): void {
  table.apply(op, args)
}

describe('the mode of the group', () => {
  test('is given once when the group forms; a later file changes nothing', () => {
    const table = new GroupMode()
    expect(table.current).toBeUndefined()
    apply(table, modeCommands.form({ flush: 'async', replication: 'sync' }))
    apply(table, modeCommands.form({ flush: 'sync', replication: 'async' }))
    expect(table.current).toEqual({ flush: 'async', replication: 'sync' })
  })

  test('a change leaves alone what it does not name', () => {
    const table = new GroupMode()
    apply(table, modeCommands.form({ flush: 'async', replication: 'sync' }))
    apply(table, modeCommands.set({ replication: 'async' }))
    expect(table.current).toEqual({ flush: 'async', replication: 'async' })
    apply(table, modeCommands.set({ flush: 'sync' }))
    expect(table.current).toEqual({ flush: 'sync', replication: 'async' })
  })

  test('comes back from its rows', () => {
    const table = new GroupMode()
    apply(table, modeCommands.form({ flush: 'async', replication: 'async' }))
    const other = new GroupMode()
    other.load(table.takeChanges())
    expect(other.current).toEqual(table.current)
    expect([...other.rows()]).toEqual([...table.rows()])
    expect(table.takeChanges().size).toBe(0)
    other.load([])
    expect(other.current).toBeUndefined()
  })

  test('only a change to sync flush wants something of what stands before it', () => {
    expect(asksForSyncFlush(modeCommands.set({ flush: 'sync' }))).toBe(true)
    expect(asksForSyncFlush(modeCommands.set({ flush: 'async' }))).toBe(false)
    expect(asksForSyncFlush(modeCommands.set({ replication: 'sync' }))).toBe(false)
    expect(asksForSyncFlush({ table: 'topics', op: 'set', args: ['sync'] })).toBe(false)
  })
})

interface Setup {
  readonly clock: ManualClock
  /** So many commands are refused. */
  readonly refusals: string[]
  readonly table: GroupMode
  readonly demands: string[]
  readonly warnings: string[]
  readonly leadership: { isReady: boolean }
  readonly modeSwitch: ModeSwitch
}

function setup(file: ConstructorParameters<typeof ModeSwitch>[0]['file'] = {}, flushWhenPeerDown = true): Setup {
  const table = new GroupMode()
  const demands: string[] = []
  const refusals: string[] = []
  const warnings: string[] = []
  const leadership = { isReady: true }
  const clock = new ManualClock()
  const log: Log = { debug() {}, info() {}, warn: (_fields, text) => warnings.push(text), error() {}, child: () => log }
  const modeSwitch = new ModeSwitch({
    table,
    leadership,
    replica: { demand: (demand) => demands.push(demand) },
    proposals: {
      command: (command) => {
        if (refusals.splice(0, 1).length > 0) return Promise.reject(new Error('not every node knows it'))
        apply(table, command)
        return Promise.resolve(undefined)
      },
    },
    first: { flush: 'async', replication: 'async' },
    file,
    flushWhenPeerDown,
    clock,
    log,
  })
  return { clock, refusals, table, demands, warnings, leadership, modeSwitch }
}

describe('the switch of the mode', () => {
  test.each([
    ['sync', true, 'durable'],
    ['async', true, 'writtenWhileWhole'],
    ['async', false, 'written'],
  ] as const)('a leader in %s flush (flush when a peer is down: %s) asks for %s', (flush, whenDown, demand) => {
    const { table, demands, modeSwitch, leadership } = setup({}, whenDown)
    expect(demands).toEqual([])
    apply(table, modeCommands.form({ flush, replication: 'sync' }))
    leadership.isReady = false
    modeSwitch.settle()
    expect(demands).toEqual([])
    leadership.isReady = true
    modeSwitch.settle()
    expect(demands).toEqual([demand])
  })

  test('a node whose file says otherwise names both values, once', async () => {
    const { table, warnings, modeSwitch } = setup({ flush: 'sync', replication: 'sync' })
    apply(table, modeCommands.form({ flush: 'async', replication: 'sync' }))
    modeSwitch.settle()
    modeSwitch.settle()
    expect(warnings).toEqual(["the group's mode is what its log says: flush is async, and sync in this node's file"])
    await modeSwitch.change({ flush: 'sync' })
    modeSwitch.settle()
    expect(warnings).toHaveLength(1)
  })

  test('a leader gives a group that has none the mode of its file, and asks again while a node does not know it', async () => {
    const { clock, table, demands, modeSwitch, refusals } = setup()
    refusals.push('once')
    modeSwitch.settle()
    modeSwitch.settle()
    for (let round = 0; round < 4; round++) await Promise.resolve()
    expect([table.current, demands]).toEqual([undefined, []])
    clock.advance(1000)
    for (let round = 0; round < 4; round++) await Promise.resolve()
    expect(table.current).toEqual({ flush: 'async', replication: 'async' })
    expect(demands).toEqual(['writtenWhileWhole'])
  })

  test('a file that says nothing has no opinion', () => {
    const { table, warnings, modeSwitch } = setup()
    apply(table, modeCommands.form({ flush: 'async', replication: 'async' }))
    modeSwitch.settle()
    expect(warnings).toEqual([])
  })
})
