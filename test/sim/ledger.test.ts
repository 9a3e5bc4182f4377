import { expect, test } from 'vitest'
import { nothingLost } from '../../sim/node/declared-loss.ts'
import { Holding } from '../../sim/node/holding.ts'
import { Ledger } from '../../sim/node/ledger.ts'
import { ModeWatch } from '../../sim/node/mode-watch.ts'

const sync = { flush: 'sync', replication: 'sync' } as const
const asyncFlush = { flush: 'async', replication: 'sync' } as const
const asyncReplication = { flush: 'sync', replication: 'async' } as const

function acknowledge(ledger: Ledger, id: string, queueOffset: number): void {
  ledger.acked(ledger.began(id, queueOffset, 100), 'q', queueOffset, queueOffset + 0.5)
}

/** Of one place, or none. */
function holding(place?: string, id = ''): Holding {
  const held = new Holding()
  if (place !== undefined) held.put(place, id)
  return held
}

const declared = (maxBytes: number, isInDoubt = false) => ({ ...nothingLost, maxBytes, isInDoubt })

test('in sync × sync nothing acknowledged may be lost, whatever the group declares', () => {
  const ledger = new Ledger(new ModeWatch(sync))
  acknowledge(ledger, 'm1', 0)
  expect(() => ledger.holds('n0', holding(), declared(1000, true))).toThrow('loss: n0 does not hold m1')
})

test('in async replication what is lost must be declared, and be within the bound that is declared', () => {
  const ledger = new Ledger(new ModeWatch(asyncReplication))
  acknowledge(ledger, 'm1', 0)
  acknowledge(ledger, 'm2', 1)
  expect(() => ledger.holds('n0', holding(), nothingLost)).toThrow('loss: n0 does not hold m1')
  expect(() => ledger.holds('n0', holding(), declared(150))).toThrow('bound: 200 acknowledged bytes are lost')
  expect(() => ledger.holds('n0', holding(), declared(200))).not.toThrow()
})

test('what lay before the beginning that retention left to a queue is not missed, whatever lay behind it is', () => {
  const ledger = new Ledger(new ModeWatch(sync))
  acknowledge(ledger, 'm1', 0)
  acknowledge(ledger, 'm2', 1)
  const held = new Holding()
  held.add('q', { minimum: 1, messages: [] })
  expect(() => ledger.holds('n0', held, nothingLost)).toThrow('loss: n0 does not hold m2')
  held.put('q/1', 'm2')
  expect(() => ledger.holds('n0', held, nothingLost)).not.toThrow()
})

test('what was read stays, but for elections in doubt after async flush', () => {
  const ledger = new Ledger(new ModeWatch(asyncFlush))
  acknowledge(ledger, 'm1', 0)
  acknowledge(ledger, 'm2', 0)
  ledger.saw('q', 0, 'm1')
  ledger.saw('q', 0, 'm2')
  const held = holding('q/0', 'm2')
  expect(() => ledger.holds('n0', held, nothingLost)).toThrow('place: q/0 holds m1 and then m2')
  expect(() => ledger.holds('n0', held, declared(1000, true))).not.toThrow()
  const inReplication = new Ledger(new ModeWatch(asyncReplication))
  acknowledge(inReplication, 'm1', 0)
  acknowledge(inReplication, 'm2', 0)
  inReplication.saw('q', 0, 'm1')
  expect(() => inReplication.saw('q', 0, 'm2')).toThrow('place: q/0 holds m1 and then m2')
})

test('what comes while replicas are read is not missed in those that were read before', () => {
  const ledger = new Ledger(new ModeWatch(sync))
  acknowledge(ledger, 'm1', 0)
  ledger.began('m2', 1, 100)
  ledger.close()
  ledger.saw('q', 1, 'm2')
  expect(() => ledger.holds('n0', holding('q/0', 'm1'), nothingLost)).not.toThrow()
  expect(() => ledger.saw('q', 0, 'm2')).toThrow('place: q/0 holds m1 and then m2')
})

test('a change of the mode counts for what is acknowledged once its own answer came', () => {
  const modes = new ModeWatch(asyncFlush)
  const ledger = new Ledger(modes)
  const before = ledger.began('m1', 0, 100)
  modes.began(sync)(true)
  ledger.acked(before, 'q', 0, 1)
  acknowledge(ledger, 'm2', 1)
  expect(() => ledger.holds('n0', holding('q/1', 'm2'), declared(1000, true))).not.toThrow()
  expect(() => ledger.holds('n0', holding('q/0', 'm1'), declared(1000, true))).toThrow('does not hold m2')
})

test('after a change whose answer was lost nobody knows what counts', () => {
  const modes = new ModeWatch(sync)
  modes.began(asyncFlush)(false)
  modes.began(sync)(true)
  expect(modes.strictEpoch).toBeUndefined()
  expect(modes.wasAsync).toEqual({ flush: true, replication: false })
})
