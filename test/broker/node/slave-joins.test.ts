import { expect, test } from 'vitest'
import type { MemberList, MemberRow } from '../../../src/broker/group/members.ts'
import { SlaveJoins } from '../../../src/broker/group/slave-joins.ts'
import type { MemberChange } from '../../../src/raft/member-change.ts'

const row = (id: string, place: string, role: MemberRow['role'] = 'learner'): MemberRow => ({
  id,
  role,
  place,
  isLeader: role === 'voter',
  isFilled: true,
  matchIndex: 1,
  lagEntries: 0,
  lastContactMs: 0,
})

interface World {
  readonly joins: SlaveJoins
  readonly changes: MemberChange[]
  list: MemberList
}

/** A master with `slaves`, whose changes take effect at once. */
function world(slaves: readonly MemberRow[], removed: readonly string[] = [], isMaster = true): World {
  const changes: MemberChange[] = []
  const world: World = {
    list: { term: 1, isChanging: false, members: [row('n0', 'm:1', 'voter'), ...slaves], removed },
    changes,
    joins: new SlaveJoins({
      clusterId: () => 'c',
      isMaster,
      members: {
        list: () => world.list,
        change(change) {
          changes.push(change)
          const others = world.list.members.filter(({ id }) => id !== change.id)
          const gone = change.kind === 'remove' ? [change.id] : []
          const come = 'place' in change ? [row(change.id, change.place)] : []
          const removed = [...world.list.removed, ...gone]
          world.list = { ...world.list, members: [...others, ...come], removed }
          return Promise.resolve()
        },
      },
    }),
  }
  return world
}

const empty = { id: undefined, clusterId: undefined }

test('an empty slave becomes a learner under an id that nobody ever had', async () => {
  const { joins, changes } = world([row('n1', 's:1')], ['n4'])
  expect(await joins.join({ ...empty, place: 't:1' })).toBe('n5')
  expect(changes).toEqual([{ kind: 'add', id: 'n5', place: 't:1' }])
})

test('a slave whose disk was wiped takes the place of the learner it was, under a new id', async () => {
  const { joins, list } = world([row('n1', 's:1'), row('n2', 't:1')])
  expect(list.members).toHaveLength(3)
  expect(await joins.join({ ...empty, place: 's:1' })).toBe('n3')
  expect(await joins.join({ ...empty, place: 's:1' })).toBe('n4')
})

test('two empty slaves that come at once get an id each', async () => {
  const { joins } = world([])
  const ids = await Promise.all(['s:1', 't:1'].map((place) => joins.join({ ...empty, place })))
  expect(ids).toEqual(['n1', 'n2'])
})

test('a slave that knows its id keeps it, and is reached where it is now', async () => {
  const { joins, changes } = world([row('n1', 's:1')])
  expect(await joins.join({ id: 'n1', clusterId: 'c', place: 'new:1' })).toBe('n1')
  expect(changes).toEqual([{ kind: 'move', id: 'n1', place: 'new:1' }])
})

test('a slave that was removed, that holds another master’s log, or comes to a group that votes is refused', async () => {
  const { joins } = world([], ['n1'])
  await expect(joins.join({ id: 'n1', clusterId: 'c', place: 's:1' })).rejects.toMatchObject({ code: 'BROKER_REMOVED' })
  await expect(joins.join({ id: 'n2', clusterId: 'other', place: 's:1' })).rejects.toMatchObject({
    code: 'BROKER_REFUSED',
    message: 'the slave holds a log of cluster other, this is c',
  })
  const group = world([], [], false)
  await expect(group.joins.join({ ...empty, place: 's:1' })).rejects.toThrow('raftmq member add')
})
