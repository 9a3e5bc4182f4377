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
