import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { World } from './world.ts'

describe('40,000 queues', () => {
  test('cost few megabytes and few open files, survive a crash, and are served', async () => {
    const world = await World.create(1, {
      checkpointBytes: 1e9,
      dirtyBytes: 1e9,
      maxOpenFiles: 4,
      tailBytes: 2 * 1024 * 1024,
    })
    const queues = 40_000
    for (let round = 0; round < 2; round++) {
      for (let queue = 0; queue < queues; queue += 100) {
        world.send(
          ...Array.from({ length: 100 }, (_, i) => ({
            topic: `t${(queue + i) % 10}`,
            queueId: Math.floor((queue + i) / 10),
            bodyBytes: 0,
          })),
        )
      }
      expect((await world.store.stats()).memoryBytes).toBeLessThan(queues * 4 * 64)
      await world.store.checkpoint()
      expect((await world.store.stats()).memoryBytes).toBeLessThanOrEqual(queues * 64)
    }
    expect((await world.store.stats()).queues).toBe(queues)
    await world.crash(0)
    expect((await world.store.stats()).queues).toBe(queues)
    expect(world.disk.mostOpenFiles).toBeLessThan(20)
    for (let queue = 0; queue < queues; queue += 777) {
      const at = {
        topic: `t${queue % 10}`,
        queueId: Math.floor(queue / 10),
        queueOffset: 0,
        maxCount: 8,
        maxBytes: 1e6,
      }
      expect((await world.store.pull(at)).count).toBe(2)
    }
  }, 120_000)
})

describe('a checkpoint', () => {
  const QUEUES = 200
  /** Less log than the pages of 200 queues, and more than a checkpoint is due for otherwise. */
  async function grown(queues: number): Promise<{ readonly world: World; readonly isWritten: () => Promise<boolean> }> {
    const world = await World.create(1, { checkpointBytes: 20_000, checkpointPeriodMs: 1_000, costlyPeriods: 5 })
    for (let n = 0; n < QUEUES; n++) world.send({ topic: 'T', queueId: n % queues })
    // A checkpoint goes through the disk in memory: some turns are all it needs.
    const isWritten = async (): Promise<boolean> => {
      for (let turn = 0; turn < 1_000; turn++) await new Promise(setImmediate)
      return (await world.store.stats()).checkpointBytes > 0
    }
    return { world, isWritten }
  }

  test('of few queues is written as soon as the log has grown by so much', async () => {
    const { isWritten } = await grown(4)
    expect(await isWritten()).toBe(true)
  })

  test('that would write more than the log grew waits for its time', async () => {
    const { world, isWritten } = await grown(QUEUES)
    expect(await isWritten()).toBe(false)
    world.clock.advance(4_999)
    expect(await isWritten()).toBe(false)
    world.clock.advance(1)
    expect(await isWritten()).toBe(true)
  })

  test('is synced on its way, so that the log need not wait for all of it', async () => {
    const world = await World.create(1, { checkpointBytes: 1e9, dirtyBytes: 1e9 })
    for (let n = 0; n < 5_000; n++) world.send({ topic: 'T', queueId: n, bodyBytes: 0 })
    const before = world.disk.syncs
    await world.store.checkpoint()
    // 5,000 pages in three pieces; then keys and the checkpoint itself.
    expect(world.disk.syncs - before).toBeGreaterThanOrEqual(4)
  })
})
