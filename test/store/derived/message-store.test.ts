import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { expectEqualToModel, expectKey } from './compare.ts'
import { SMALL, World } from './world.ts'
import type { Sent } from './world.ts'

const topic = fc.constantFrom('a', 'b', 'c')
const sent = fc.record({
  topic,
  queueId: fc.nat(2),
  tag: fc.constantFrom(undefined, 'red', 'blue'),
  keys: fc.constantFrom(undefined, ['k1'], ['k1', 'k2'], ['k3']),
  bodyBytes: fc.nat(60),
})

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('send' as const), sent: fc.array(sent, { minLength: 1, maxLength: 5 }) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('burst' as const), of: sent, count: fc.nat(400) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('checkpoint' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('begin' as const) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('crash' as const), ticks: fc.nat(60) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rebuild' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), topic }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('start' as const), part: fc.double({ min: 0, max: 0.99, noNaN: true }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('cold' as const), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compare' as const) }) },
)

const of = (topic: string, queueId: number): Sent => ({ topic, queueId, bodyBytes: 0 })

const YOUNG = SMALL.youngBytes ?? 0

describe('the message store', () => {
  test('lets the log go only with what goes alongside, also where the process before ended between the two', async () => {
    const world = await World.create(7)
    for (let i = 0; i < 30; i++) world.send(of('a', 0))
    // The process ends here: everything but what goes alongside is on the disk.
    const isReached = new Promise<void>((resolve) => {
      world.writeAlongside = () => {
        resolve()
        return new Promise(() => undefined)
      }
    })
    void world.moveStart(0.5)
    await isReached
    const written: number[] = []
    world.writeAlongside = () => Promise.resolve(void written.push(world.store.logStart))
    await world.crash(0)
    expect(world.store.logStart).toBe(world.logStart)
    await world.store.moveLogStart(world.logStart)
    expect(written).toEqual([world.logStart])
  })

  test.prop([fc.array(step, { minLength: 1, maxLength: 25 }), fc.nat()], { numRuns: 40 })(
    'says what a naive model says, through checkpoints, crashes, retention and deleted topics',
    async (steps, seed) => {
      const world = await World.create(seed)
      const begun: Promise<unknown>[] = []
      for (const each of steps) {
        switch (each.kind) {
          case 'send':
            world.send(...each.sent)
            break
          case 'burst':
            for (let i = 0; i < each.count; i++) world.send(each.of)
            break
          case 'checkpoint':
            await world.store.checkpoint()
            break
          case 'begin':
            begun.push(world.store.checkpoint().catch(() => undefined))
            break
          case 'crash':
            await expectNothingRepaired(world)
            await world.crash(each.ticks)
            break
          case 'rebuild':
            await world.rebuild()
            break
          case 'restart':
            await world.restart()
            break
          case 'delete':
            world.deleteTopic(each.topic)
            break
          case 'start':
            await world.moveStart(each.part)
            break
          case 'cold':
            world.log.coldBelow = each.part * world.log.endOffset
            break
          case 'compare':
            await expectEqualToModel(world)
            break
        }
      }
      await expectEqualToModel(world)
      await expectKey(world, 'a', 'k1')
      await expectKey(world, 'b', 'k2')
      await world.crash(0)
      await expectEqualToModel(world)
      await expectKey(world, 'a', 'k1')
      await expectNothingRepaired(world)
      await Promise.all(begun)
      expect(world.fatals).toEqual([])
      expect(world.disk.mostOpenFiles).toBeLessThanOrEqual(2 * 2 + 8 + 2)
    },
    60_000,
  )

  test.each([1, 2, 3, 5, 8])('does not hear of a process that crashed %i turns into its checkpoint', async (ticks) => {
    const world = await World.create(0)
    world.send(of('c', 0), of('b', 2))
    for (let count = 0; count < 254; count++) world.send(of('a', 0))
    world.send(of('a', 1), of('a', 0))
    const begun = world.store.checkpoint().catch(() => undefined)
    world.send(of('b', 1), of('b', 0))
    world.send(of('c', 1), of('a', 2))
    await world.crash(ticks)
    await expectEqualToModel(world)
    await world.crash(0)
    await expectEqualToModel(world)
    await expectNothingRepaired(world)
    await begun
  })

  test('calls a queue young by how far the log went on since its first message, cold or not', async () => {
    const world = await World.create(1)
    world.send({ topic: 'a', queueId: 0 })
    const first = world.log.endOffset
    while (world.log.endOffset + 500 < YOUNG) world.send({ topic: 'b', queueId: 0, bodyBytes: 60 })
    world.log.coldBelow = world.log.endOffset
    expect(world.store.isYoung('a', 0)).toBe(true)
    expect(world.store.isYoung('a', 1)).toBe(false)
    while (world.log.endOffset <= YOUNG + first) world.send({ topic: 'b', queueId: 0, bodyBytes: 60 })
    expect(world.store.isYoung('a', 0)).toBe(false)
    await world.moveStart(0.9)
    world.send({ topic: 'c', queueId: 0 })
    expect(world.store.isYoung('b', 0)).toBe(false)
    expect(world.store.isYoung('c', 0)).toBe(true)
  })
})

/** On a disk that keeps what was synced no page is ever found damaged: repairs would hide what writes did wrong. */
async function expectNothingRepaired(world: World): Promise<void> {
  expect((await world.store.stats()).repairedPages).toBe(0)
}
