import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from '@fast-check/vitest'
import { afterEach, beforeEach, describe, expect } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import { seededRandom } from '../../../src/lib/prng.ts'
import { installReset } from '../../../src/store/install-reset.ts'
import { LOG_ORIGIN } from '../../../src/store/log-position.ts'
import { readResetState, stageResetState, type ResetFile } from '../../../src/store/reset-state.ts'
import { openLevelDatabase } from '../../../src/store/level-database.ts'
import { TableStore } from '../../../src/store/table-store.ts'
import { CrashDisk } from './crash-disk.ts'
import { expectEqualToModel } from './compare.ts'
import { MemoryLog } from './memory-log.ts'
import { PlainTable } from './tables.ts'
import { World } from './world.ts'

let folder = ''
let tables: TableStore
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reset-'))
  tables = await TableStore.open(folder, openLevelDatabase)
})
afterEach(async () => {
  await tables.close()
  await rm(folder, { recursive: true, force: true })
})

/** A leader that lost its log's beginning to retention. */
async function leader(): Promise<{ world: World; topics: PlainTable }> {
  const world = await World.create()
  for (let i = 0; i < 2000; i++)
    world.send({ topic: i % 10 === 0 ? 'b' : 'a', queueId: i % 3, tag: 'red', keys: [`k${i % 9}`] })
  for (let i = 0; i < 30; i++) world.send({ topic: 'c', queueId: 0 })
  await world.moveStart(0.99)
  const topics = new PlainTable('topics')
  for (let i = 0; i < 2000; i++) topics.set(`t${i}`, { perm: i % 8, text: 'x'.repeat(i % 50) })
  return { world, topics }
}

const open = (world: World, topics: PlainTable): Promise<ResetFile> => {
  const { log } = world
  const now = () => ({
    position: { ...LOG_ORIGIN, offset: log.startOffset, index: log.startIndex },
    tablesIndex: log.lastIndex,
  })
  return world.store.openReset(now, [topics])
}

async function* chunksOf(file: ResetFile, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let position = 0; position < file.byteLength; position += chunkBytes) yield file.read(position, chunkBytes)
}

describe('a follower behind the log start', () => {
  test('is reset to queues that go on where they were, and the tables of the leader', async () => {
    const { world, topics } = await leader()
    const file = await open(world, topics)
    // What happens on the leader afterwards is not part of it.
    world.send({ topic: 'a', queueId: 0 })
    const disk = new CrashDisk()
    const start = await stageResetState(disk, '/node/reset', chunksOf(file, 1000))
    expect(start).toEqual(file.start)
    await file.close()
    expect(world.disk.paths().filter((path) => path.includes('reset'))).toEqual([])

    const follower = await World.over(world, disk, new MemoryLog())
    await follower.store.suspend()
    expect(follower.store.queueBounds('a', 0)).toBeUndefined()
    for (let again = 0; again < 2; again++) {
      await installReset({ fileSystem: disk, path: '/node/reset', folder: '/derived', tables })
    }
    // The log's own reset, and what the leader then sends.
    Object.assign(follower.log, world.log)
    await follower.store.reopen()
    expect(follower.store.appliedIndex).toBe(world.log.startIndex)
    follower.replay()
    await expectEqualToModel(follower)
    const received = new PlainTable('topics')
    await tables.load([received])
    expect([...received.rows()]).toEqual([...topics.rows()])
    expect(tables.appliedIndex).toBe(start.tablesIndex)
    await follower.crash(0)
    await expectEqualToModel(follower)
  })

  test('derives topics that were deleted, and made again, behind the start', async () => {
    const { world, topics } = await leader()
    for (let i = 0; i < 40; i++) world.send({ topic: 'a', queueId: 0 })
    world.deleteTopic('a')
    world.deleteTopic('b')
    for (let i = 0; i < 300; i++) world.send({ topic: 'a', queueId: i % 2 })
    const file = await open(world, topics)
    const disk = new CrashDisk()
    await stageResetState(disk, '/node/reset', chunksOf(file, 100_000))
    await installReset({ fileSystem: disk, path: '/node/reset', folder: '/derived', tables })
    const follower = await World.over(world, disk)
    await expectEqualToModel(follower)
    expect(follower.store.queueBounds('b', 0)).toBeUndefined()
  })

  test('takes nothing of a state that is cut off or damaged anywhere', async () => {
    const { world, topics } = await leader()
    const file = await open(world, topics)
    const whole = Buffer.from(await file.read(0, file.byteLength))
    const random = seededRandom(4)
    for (let i = 0; i < 60; i++) {
      const disk = new CrashDisk()
      const bytes = Buffer.from(whole)
      if (i % 2 === 0)
        bytes.writeUInt8((bytes[random.integer(0, bytes.length - 1)] ?? 0) ^ 1, random.integer(0, bytes.length - 1))
      const sent = i % 2 === 0 ? bytes : bytes.subarray(0, random.integer(0, bytes.length - 1))
      if (sent.equals(whole)) continue
      const code = await stageResetState(disk, '/node/reset', [sent]).catch(errorCode)
      expect(code).toBe('STORE_RESET_DAMAGED')
      expect(await disk.stat('/node/reset')).toBeUndefined()
    }
  })

  test('reads back the parts that were written, each bounded', async () => {
    const { world, topics } = await leader()
    const file = await open(world, topics)
    const disk = new CrashDisk()
    await stageResetState(disk, '/node/reset', chunksOf(file, 64 * 1024))
    const kinds: string[] = []
    for await (const part of readResetState(disk, '/node/reset')) {
      kinds.push(part.kind)
      if (part.kind === 'rows') expect(part.rows.length).toBeLessThanOrEqual(512)
    }
    expect(kinds).toEqual(['start', 'queues', 'rows', 'rows', 'rows', 'rows'])
  })
})
