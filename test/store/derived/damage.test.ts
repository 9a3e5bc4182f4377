import { test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import { tagsCode } from '../../../src/message/tags-code.ts'
import { broken, noRoom } from './crash-disk.ts'
import { expectEqualToModel, expectKey, readAll } from './compare.ts'
import { SMALL, World } from './world.ts'

function fill(world: World, count: number): void {
  for (let i = 0; i < count; i++) {
    world.send({ topic: 'a', queueId: i % 2, tag: i % 3 === 0 ? 'red' : 'blue', keys: [`k${i % 50}`] })
  }
}

/** A world of written pages of which none is in memory. */
async function coldWorld(count: number): Promise<World> {
  const world = await World.create(1, { ...SMALL, tailBytes: 0 })
  fill(world, count)
  await world.restart()
  return world
}

describe('a page that rotted', () => {
  test('is made again from the log when a byte of any unit changed, and never serves a wrong message', async () => {
    for (const at of [32, 33, 36, 40, 44, 47, 2000, 4095]) {
      const world = await coldWorld(1200)
      const file = world.disk.bytesOf('/derived/pages/00000000.pages')
      for (let page = 0; page < 4; page++) {
        const place = page * 4096 + at
        if (file !== undefined && place < file.length) file[place] = (file[place] ?? 0) ^ 0x40
      }
      await expectEqualToModel(world)
      expect((await world.store.stats()).repairedPages).toBeGreaterThan(0)
    }
  })

  test('is made again when the whole file is gone', async () => {
    const world = await coldWorld(1200)
    world.disk.bytesOf('/derived/pages/00000000.pages')?.fill(0)
    await expectEqualToModel(world)
  })

  test('stays whole afterwards', async () => {
    const world = await coldWorld(1200)
    world.disk.bytesOf('/derived/pages/00000000.pages')?.fill(0xff)
    await expectEqualToModel(world)
    await world.restart()
    await expectEqualToModel(world)
    expect((await world.store.stats()).repairedPages).toBe(0)
  })

  test('of a topic that was deleted and made again gets the messages of the new one', async () => {
    const world = await World.create(1, { ...SMALL, tailBytes: 0 })
    fill(world, 700)
    world.deleteTopic('a')
    fill(world, 900)
    await world.restart()
    for (const path of world.disk.paths()) if (path.endsWith('.pages')) world.disk.bytesOf(path)?.fill(0)
    await expectEqualToModel(world)
  })

  test('does not confuse times: a damaged header is passed over', async () => {
    const world = await coldWorld(1200)
    for (let page = 0; page < 4; page++)
      world.disk.bytesOf('/derived/pages/00000000.pages')?.fill(0, page * 4096, page * 4096 + 32)
    await expectEqualToModel(world)
  })
})

describe('a disk in trouble', () => {
  test('without room keeps everything in memory, and writes it when there is room', async () => {
    const world = await World.create()
    fill(world, 500)
    for (const failing of ['pages', 'checkpoint']) {
      world.disk.fault = (operation, path) => (operation === 'write' && path.includes(failing) ? noRoom() : undefined)
      fill(world, 300)
      await expect(world.store.checkpoint()).rejects.toThrow('ENOSPC')
      await expectEqualToModel(world)
    }
    world.disk.fault = () => undefined
    await world.store.checkpoint()
    expect(world.fatals).toEqual([])
    await world.crash(0)
    await expectEqualToModel(world)
    expect((await world.store.stats()).repairedPages).toBe(0)
  })

  test('that fails a sync ends the node', async () => {
    const world = await World.create()
    fill(world, 10)
    world.disk.fault = (operation) => (operation === 'sync' ? broken() : undefined)
    await expect(world.store.checkpoint()).rejects.toThrow('could not be synced')
    expect(world.fatals.map(errorCode)).toEqual(['STORE_SYNC_FAILED'])
  })

  test('a checkpoint waits for the log to be on disk as far as it speaks of it', async () => {
    const world = await World.create()
    fill(world, 10)
    expect(world.log.flushed).toBe(0)
    await world.store.checkpoint()
    expect(world.log.flushed).toBe(world.log.endOffset)
  })

  test.each([0, 1, 5, 9, 17, 40])(
    'a checkpoint file that is damaged at byte %i gives the same queues',
    async (place) => {
      const world = await World.create()
      fill(world, 700)
      await world.store.checkpoint()
      fill(world, 100)
      await world.moveStart(0.4)
      await world.restart()
      const file = world.disk.bytesOf('/derived/checkpoint')
      if (file !== undefined) file[place] = (file[place] ?? 0) ^ 1
      await world.crash(0)
      await expectEqualToModel(world)
      await expectKey(world, 'a', 'k7')
    },
  )

  test('a log that lost its beginning, with neither checkpoint nor starts, is refused rather than guessed', async () => {
    const world = await World.create()
    fill(world, 700)
    await world.moveStart(0.5)
    await world.store.close()
    await world.disk.unlink('/derived/checkpoint')
    await world.disk.unlink('/derived/queue-starts')
    const opened = await world.open().catch(errorCode)
    expect(opened).toBe('STORE_FILE_MISSING')
  })

  test('a queue whose messages are all gone goes on where it was, even when the checkpoint is lost', async () => {
    const world = await World.create()
    fill(world, 100)
    for (let i = 0; i < 20; i++) world.send({ topic: 'b', queueId: 0 })
    await world.moveStart(0.95)
    await world.rebuild()
    expect(world.store.queueBounds('a', 0)).toEqual({ min: 50, max: 50 })
    world.send({ topic: 'a', queueId: 0 })
    expect(world.store.queueBounds('a', 0)).toEqual({ min: 50, max: 51 })
    await expectEqualToModel(world)
  })
})

describe('pulling', () => {
  test('says what RocketMQ says at the ends of a queue', async () => {
    const world = await World.create()
    const status = async (queueOffset: number, queueId = 0) => {
      const { status, nextQueueOffset } = await world.store.pull({
        topic: 'a',
        queueId,
        queueOffset,
        maxCount: 8,
        maxBytes: 1e6,
      })
      return [status, nextQueueOffset]
    }
    expect(await status(5)).toEqual(['noSuchQueue', 0])
    fill(world, 100)
    await world.moveStart(0.5)
    expect(await status(3)).toEqual(['tooSmall', 25])
    expect(await status(50)).toEqual(['overflowOne', 50])
    expect(await status(51)).toEqual(['overflowBadly', 50])
    expect(await status(25)).toEqual(['found', 33])
    expect(await status(0, 7)).toEqual(['noSuchQueue', 0])
  })

  test('is synchronous while everything is in memory', async () => {
    const world = await World.create(1, {})
    fill(world, 300)
    expect(
      world.store.pull({ topic: 'a', queueId: 0, queueOffset: 0, maxCount: 32, maxBytes: 1e6 }),
    ).not.toBeInstanceOf(Promise)
    await world.store.checkpoint()
    expect(
      world.store.pull({ topic: 'a', queueId: 0, queueOffset: 140, maxCount: 8, maxBytes: 1e6 }),
    ).not.toBeInstanceOf(Promise)
  })

  test('gives at least one message, however few bytes are asked for', async () => {
    const world = await World.create()
    fill(world, 4)
    const result = await world.store.pull({ topic: 'a', queueId: 0, queueOffset: 0, maxCount: 32, maxBytes: 1 })
    expect(result.count).toBe(1)
  })

  test('looks at no more than 800 units for tags that nobody sends, and says where to go on', async () => {
    const world = await World.create()
    for (let i = 0; i < 1000; i++) world.send({ topic: 'a', queueId: 0, tag: 'blue' })
    const tagsCodes = new Set([tagsCode('red')])
    const result = await world.store.pull({
      topic: 'a',
      queueId: 0,
      queueOffset: 0,
      maxCount: 32,
      maxBytes: 1e6,
      tagsCodes,
    })
    expect([result.status, result.count, result.nextQueueOffset]).toEqual(['noMatched', 0, 800])
  })

  test('gives messages of one entry that follow each other as one slice', async () => {
    const world = await World.create()
    const one = { topic: 'a', queueId: 0 }
    world.send(one, one, one, { topic: 'b', queueId: 0 }, one)
    world.send(one)
    const result = await world.store.pull({ topic: 'a', queueId: 0, queueOffset: 0, maxCount: 32, maxBytes: 1e6 })
    expect([result.count, result.slices.length]).toEqual([5, 3])
  })

  test('asks `accept` with each record, and leaves out what it refuses', async () => {
    const world = await World.create()
    fill(world, 20)
    let asked = 0
    const accept = (record: Buffer): boolean => record.length > 0 && asked++ % 2 === 0
    const result = await world.store.pull({
      topic: 'a',
      queueId: 0,
      queueOffset: 0,
      maxCount: 32,
      maxBytes: 1e6,
      accept,
    })
    expect([asked, result.count, result.nextQueueOffset]).toEqual([10, 5, 10])
  })

  test('tells of a record that left the log, and goes on behind it', async () => {
    const world = await World.create()
    fill(world, 20)
    world.log.dropBefore(world.log.endOffset / 2)
    const result = await world.store.pull({ topic: 'a', queueId: 0, queueOffset: 0, maxCount: 4, maxBytes: 1e6 })
    expect(result.status).toBe('found')
    expect(result.nextQueueOffset).toBeGreaterThan(4)
    world.log.dropBefore(world.log.endOffset + 1)
    const gone = await world.store.pull({ topic: 'a', queueId: 0, queueOffset: 0, maxCount: 4, maxBytes: 1e6 })
    expect([gone.status, gone.nextQueueOffset]).toEqual(['removing', 10])
  })

  test('does not serve a topic that is deleted while the disk is read', async () => {
    const world = await coldWorld(600)
    const result = world.store.pull({ topic: 'a', queueId: 0, queueOffset: 0, maxCount: 4, maxBytes: 1e6 })
    world.deleteTopic('a')
    expect((await result).status).toBe('noSuchQueue')
  })

  test('reads right while the pages it reads are being written', async () => {
    const world = await World.create(3, { ...SMALL, tailBytes: 0, cacheBytes: 4096 })
    for (let round = 0; round < 20; round++) {
      fill(world, 100)
      const checkpoint = world.store.checkpoint()
      const model = world.modelQueue('a', 0)
      const read = readAll(world, 'a', 0, 0, undefined)
      fill(world, 7)
      const count = model.messages.length
      expect(count).toBeGreaterThan(0)
      const bytes = await read
      const expected = Buffer.concat(model.messages.map((message) => message.record))
      expect(expected.subarray(0, bytes.length).equals(bytes)).toBe(true)
      await checkpoint
    }
    expect((await world.store.stats()).repairedPages).toBe(0)
  })
})

describe('records by offset', () => {
  test('only a whole, committed record of that very offset is given', async () => {
    const world = await World.create()
    fill(world, 10)
    const message = world.modelQueue('a', 0).messages[2]
    expect(message === undefined ? undefined : await world.store.recordAt(message.offset)).toEqual(message?.record)
    for (const wrong of [1, 57, 58, -5, 1e12, world.log.endOffset])
      expect(await world.store.recordAt(wrong)).toBeUndefined()
    const uncommitted = world.log.endOffset + 56
    world.log.append([], [])
    expect(await world.store.recordAt(uncommitted)).toBeUndefined()
  })
})
