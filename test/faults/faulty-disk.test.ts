import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { type DiskFault, FaultyDisk, isDiskMessage } from '../../src/faults/faulty-disk.ts'
import type { OpenFile } from '../../src/store/file-system.ts'
import { nodeFileSystem } from '../../src/store/node-file-system.ts'
import { fileSystemSuite } from '../suites/file-system.ts'
import { FaultyFileSystem } from '../support/faulty-file-system.ts'
import { ManualClock } from '../support/manual-clock.ts'

fileSystemSuite('a disk without faults set', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'raftmq-'))
  const fileSystem = new FaultyDisk(nodeFileSystem, new ManualClock())
  return { fileSystem, folder, end: () => rm(folder, { recursive: true }) }
})

describe('faults in front of a disk', () => {
  let clock: ManualClock
  let memory: FaultyFileSystem
  let disk: FaultyDisk

  beforeEach(async () => {
    clock = new ManualClock()
    memory = new FaultyFileSystem()
    await memory.mkdir('d')
    disk = new FaultyDisk(memory, clock)
  })

  async function open(...faults: DiskFault[]): Promise<OpenFile> {
    const file = await disk.open('d/a', 'create')
    disk.set(faults)
    return file
  }

  /** The time on the clock at which `work` was done. */
  async function doneAtMs(work: Promise<unknown>): Promise<number> {
    const seen = { isDone: false }
    void work.then(() => (seen.isDone = true))
    for (let turn = 0; !seen.isDone; turn++) {
      expect(turn).toBeLessThan(10_000)
      await new Promise((resolve) => setImmediate(resolve))
      if (!seen.isDone) clock.advance(1)
    }
    return clock.monotonicMs()
  }

  test('a sync takes longer, a durable write with it, and a plain write does not', async () => {
    const file = await open({ on: 'sync', delayMs: 40 })
    expect(await doneAtMs(file.writev([Buffer.from('a')], 0))).toBeLessThan(5)
    expect(await doneAtMs(file.fdatasync())).toBeGreaterThanOrEqual(40)
    expect(await doneAtMs(file.writevDurable([Buffer.from('b')], 1))).toBeGreaterThanOrEqual(80)
  })

  test('writes go one behind the other through a bottleneck', async () => {
    const file = await open({ on: 'write', bytesPerSecond: 1_000 })
    const first = file.writev([Buffer.alloc(50)], 0)
    const second = file.writev([Buffer.alloc(50)], 50)
    expect(await doneAtMs(first)).toBeGreaterThanOrEqual(50)
    const atMs = await doneAtMs(second)
    expect(atMs).toBeGreaterThanOrEqual(100)
    expect(atMs).toBeLessThan(110)
  })

  test('a failed sync leaves what was written to be seen', async () => {
    const file = await open({ on: 'sync', code: 'EIO' })
    await expect(file.writevDurable([Buffer.from('abc')], 0)).rejects.toMatchObject({ code: 'EIO' })
    expect(memory.content('d/a').toString()).toBe('abc')
    await expect(file.fdatasync()).rejects.toMatchObject({ code: 'EIO' })
    await expect(disk.fsyncFolder('d')).rejects.toMatchObject({ code: 'EIO' })
  })

  test('a write that fails writes nothing', async () => {
    const file = await open({ on: 'write', code: 'ENOSPC' })
    await expect(file.writev([Buffer.from('abc')], 0)).rejects.toMatchObject({ code: 'ENOSPC' })
    await expect(file.writevDurable([Buffer.from('abc')], 0)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await file.size()).toBe(0)
  })

  test('names cannot be changed where that fails, and can be read', async () => {
    await open({ on: 'name', code: 'EROFS' })
    await expect(disk.open('d/b', 'create')).rejects.toMatchObject({ code: 'EROFS' })
    await expect(disk.rename('d/a', 'd/c')).rejects.toMatchObject({ code: 'EROFS' })
    await expect(disk.unlink('d/a')).rejects.toMatchObject({ code: 'EROFS' })
    await expect(disk.mkdir('e')).rejects.toMatchObject({ code: 'EROFS' })
    expect(await disk.readdir('d')).toEqual(['a'])
    await (await disk.open('d/a', 'read')).close()
  })

  test('reads fail, the one that does not wait included', async () => {
    const file = await open({ on: 'read', code: 'EIO' })
    await expect(file.pread(Buffer.alloc(1), 0)).rejects.toMatchObject({ code: 'EIO' })
    expect(() => disk.readSync('d/a', Buffer.alloc(1), 0)).toThrow('EIO')
  })

  test('a fault is met as often as it says, on the paths it names', async () => {
    const file = await open({ on: 'sync', code: 'EIO', times: 2, path: 'd/a' })
    await disk.fsyncFolder('d')
    await expect(file.fdatasync()).rejects.toThrow('EIO')
    await expect(file.fdatasync()).rejects.toThrow('EIO')
    await file.fdatasync()
  })

  test('new faults take the place of old ones', async () => {
    const file = await open({ on: 'write', code: 'ENOSPC' })
    disk.set([])
    await file.writev([Buffer.from('abc')], 0)
    expect(memory.content('d/a').toString()).toBe('abc')
  })
})

test('the message that sets faults is told from what a supervisor says', () => {
  expect(isDiskMessage({ type: 'disk', faults: [] })).toBe(true)
  expect(isDiskMessage({ type: 'stop' })).toBe(false)
  expect(isDiskMessage('disk')).toBe(false)
})
