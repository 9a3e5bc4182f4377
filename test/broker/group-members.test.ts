import { describe, expect, test } from 'vitest'
import type { Member } from '../../src/broker/clients/clients.ts'
import { GroupMembers } from '../../src/broker/clients/group-members.ts'

const member = (clientId: string): Member => ({
  clientId,
  language: 0,
  version: 0,
  address: '10.0.0.7:1',
  place: { node: undefined, connectionId: 1 },
  lastHeartbeatMs: 0,
  lastHeartbeatAtMs: 0,
})

describe('the members of a group', () => {
  test('come with their first connection and go with their last', () => {
    const members = new GroupMembers()
    expect(members.set('/1', member('a'))).toBe(true)
    expect(members.set('n1/7', member('a'))).toBe(false)
    expect(members.size).toBe(2)
    expect(members.delete('/1')).toBe(false)
    expect(members.clientIds()).toEqual(['a'])
    expect(members.delete('n1/7')).toBe(true)
    expect(members.delete('n1/7')).toBe(false)
    expect([members.size, members.clientIds()]).toEqual([0, []])
  })

  test('are listed once and in order, and sorted again only after one came or went', () => {
    const members = new GroupMembers()
    for (const id of ['b', 'a']) members.set(`/${id}`, member(id))
    members.set('/other', member('b'))
    const ids = members.clientIds()
    expect(ids).toEqual(['a', 'b'])
    members.set('/a', { ...member('a'), lastHeartbeatMs: 5 })
    members.delete('/other')
    expect(members.clientIds()).toBe(ids)
    expect([...members.values()].map((one) => one.lastHeartbeatMs)).toEqual([0, 5])
    members.set('/c', member('c'))
    expect(members.clientIds()).toEqual(['a', 'b', 'c'])
  })

  test('have a digest that is the same as long as they are, whatever the order in which they came', () => {
    const [members, others] = [new GroupMembers(), new GroupMembers()]
    for (const id of ['b', 'a']) members.set(`/${id}`, member(id))
    const two = members.digest
    for (const id of ['c', 'a', 'b']) others.set(`n1/${id}`, member(id))
    expect(others.digest).not.toBe(two)
    others.delete('n1/c')
    members.set('/other', member('b'))
    expect([members.digest, others.digest]).toEqual([two, two])
    members.set('/a', member('c'))
    expect(members.digest).not.toBe(two)
    for (const place of ['/a', '/b', '/other']) members.delete(place)
    expect(members.digest).toBe(new GroupMembers().digest)
  })

  test('are replaced where another client speaks over the same connection', () => {
    const members = new GroupMembers()
    members.set('/1', member('a'))
    expect(members.set('/1', member('b'))).toBe(true)
    expect(members.clientIds()).toEqual(['b'])
    expect(members.size).toBe(1)
  })
})
