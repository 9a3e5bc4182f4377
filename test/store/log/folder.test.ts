import { describe, expect, test } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import { seededRandom } from '../../../src/lib/prng.ts'
import { DataFolder } from '../../../src/store/folder.ts'
import { HardStateFile } from '../../../src/store/hard-state.ts'
import { SlotFile } from '../../../src/store/slot-file.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { pumped } from './log-support.ts'

interface Opening {
  readonly pid?: number
  readonly alive?: readonly number[]
  readonly nodeId?: string
  readonly group?: string
}

function open(
  disk: FaultyFileSystem,
  { pid = 1, alive = [], nodeId = 'n0', group = 'broker-a' }: Opening = {},
): Promise<DataFolder> {
  const clock = new ManualClock()
  const processes = { pid, isAlive: (other: number) => alive.includes(other) }
  return pumped(clock, DataFolder.open({ fileSystem: disk, processes, clock, path: 'data', owner: { nodeId, group } }))
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}

describe('the lock of a data folder', () => {
  test('keeps a second process out while the first one lives', async () => {
    const disk = new FaultyFileSystem()
    const folder = await open(disk, { pid: 10 })
    expect(await codeOf(open(disk, { pid: 11, alive: [10] }))).toBe('STORE_LOCKED')
    await folder.close()
    await (await open(disk, { pid: 11, alive: [10] })).close()
  })

  test('of a dead process is taken over, and so is one with our own id, left by a container before us', async () => {
    const disk = new FaultyFileSystem()
    await open(disk, { pid: 10 })
    await open(disk, { pid: 11 })
    await open(disk, { pid: 11, alive: [11] })
    expect(disk.content('data/lock').toString()).toContain('11')
  })

  test('is taken over where a take-over was interrupted, also when power took the name of who tried', async () => {
    for (const guard of ['{"pid":9}', '{"pid":11}', '']) {
      const disk = new FaultyFileSystem()
      await open(disk, { pid: 10 })
      disk.put('data/lock.takeover', Buffer.from(guard))
      await open(disk, { pid: 11 })
      expect(disk.content('data/lock').toString()).toContain('11')
      expect(disk.paths()).not.toContain('data/lock.takeover')
    }
  })

  test('keeps the same process from opening the folder twice', async () => {
    const disk = new FaultyFileSystem()
    const clock = new ManualClock()
    const need = {
      fileSystem: disk,
      processes: { pid: 1, isAlive: () => true },
      clock,
      path: 'data',
      owner: { nodeId: 'n0', group: 'g' },
    }
    const folder = await DataFolder.open(need)
    expect(await codeOf(DataFolder.open(need))).toBe('STORE_LOCKED')
    await folder.close()
    await (await DataFolder.open(need)).close()
  })

  test('that a crash tore is taken over', async () => {
    const disk = new FaultyFileSystem()
    await disk.mkdir('data')
    disk.put('data/lock', Buffer.alloc(0))
    await (await open(disk, { alive: [1, 2, 3] })).close()
  })

  test('goes to exactly one of many that find it stale at once', async () => {
    for (let seed = 0; seed < 30; seed++) {
      const disk = new FaultyFileSystem()
      await open(disk, { pid: 9 })
      const random = seededRandom(seed)
      disk.before = async () => {
        for (let i = random.integer(0, 12); i > 0; i--) await Promise.resolve()
      }
      // The first to get it holds it: the others find it alive.
      const all = [10, 11, 12]
      const got = await Promise.all(all.map((pid) => codeOf(open(disk, { pid, alive: all }))))
      expect(got.filter((code) => code === undefined).length, `seed ${seed}: ${String(got)}`).toBe(1)
    }
  })

  test('is let go when the folder is refused', async () => {
    const disk = new FaultyFileSystem()
    const folder = await open(disk)
    await folder.begun()
    await folder.close()
    expect(await codeOf(open(disk, { nodeId: 'n1' }))).toBe('STORE_FOREIGN_FOLDER')
    expect(disk.paths()).not.toContain('data/lock')
  })
})

describe('the identity of a data folder', () => {
  test('is of one node, group and cluster, for good', async () => {
    const disk = new FaultyFileSystem()
    const folder = await open(disk)
    expect(folder.isNew).toBe(true)
    await folder.begun()
    expect(folder.clusterId).toBeNull()
    await folder.join('c1')
    await folder.join('c1')
    expect(await codeOf(folder.join('c2'))).toBe('STORE_FOREIGN_FOLDER')
    await folder.close()
    expect(await codeOf(open(disk, { nodeId: 'n1' }))).toBe('STORE_FOREIGN_FOLDER')
    expect(await codeOf(open(disk, { group: 'broker-b' }))).toBe('STORE_FOREIGN_FOLDER')
    const again = await open(disk)
    expect(again.isNew).toBe(false)
    expect(again.clusterId).toBe('c1')
  })

  test('joins once however often it is asked while the first save is under way', async () => {
    const folder = await open(new FaultyFileSystem())
    await folder.begun()
    await Promise.all([folder.join('c1'), folder.join('c1'), folder.join('c1')])
    expect(folder.clusterId).toBe('c1')
    await folder.close()
  })

  test('whose disk failed once is not written again: who closes after that hears of the disk', async () => {
    const disk = new FaultyFileSystem()
    await disk.mkdir('data')
    const slots = await SlotFile.open(disk, 'data/identity')
    await slots.save(Buffer.from('one'))
    disk.fail('fdatasync', 'EIO', { path: /identity$/ })
    await expect(slots.save(Buffer.from('two'))).rejects.toMatchObject({ code: 'EIO' })
    await expect(slots.save(Buffer.from('three'))).rejects.toMatchObject({ code: 'EIO' })
    expect(slots.value?.toString()).toBe('one')
  })

  test('of a newer format is refused', async () => {
    const disk = new FaultyFileSystem()
    await disk.mkdir('data')
    const slots = await SlotFile.open(disk, 'data/identity')
    await slots.save(Buffer.from(JSON.stringify({ format: 2, nodeId: 'n0', group: 'broker-a', clusterId: null })))
    await slots.close()
    expect(await codeOf(open(disk))).toBe('STORE_NEWER_FORMAT')
  })

  test('can be asked for without taking the folder, from one copy as well, and not from none', async () => {
    const disk = new FaultyFileSystem()
    expect(await DataFolder.ownerOf(disk, 'data')).toBeUndefined()
    const folder = await open(disk, { nodeId: 'n7' })
    expect(await DataFolder.ownerOf(disk, 'data')).toBeUndefined()
    await folder.begun()
    expect(await DataFolder.ownerOf(disk, 'data')).toEqual({ nodeId: 'n7', group: 'broker-a' })
    for (const [at, expected] of [
      [30, undefined],
      [4096 + 30, 'STORE_SLOTS_CORRUPT'],
    ] as const) {
      const file = await disk.open('data/identity', 'create')
      await file.writev([Buffer.from('rot')], at)
      await file.close()
      expect(await codeOf(DataFolder.ownerOf(disk, 'data'))).toBe(expected)
    }
  })

  test('stays new until it is begun: nothing was promised before', async () => {
    const disk = new FaultyFileSystem()
    await (await open(disk)).close()
    expect((await open(disk)).isNew).toBe(true)
  })
})

describe('the marker of a clean stop', () => {
  const end = { offset: 5, index: 4, term: 3, crc: 2, timestampMs: 1 }

  test('is read once', async () => {
    const disk = new FaultyFileSystem()
    const folder = await open(disk)
    await folder.leaveCleanMarker(end)
    disk.crash(seededRandom(1), 0)
    const again = await open(disk)
    expect(await again.takeCleanMarker()).toEqual(end)
    disk.crash(seededRandom(1), 0)
    expect(await (await open(disk)).takeCleanMarker()).toBeUndefined()
  })

  test('that is torn is none', async () => {
    const disk = new FaultyFileSystem()
    const folder = await open(disk)
    await folder.leaveCleanMarker(end)
    disk.flip('data/clean', 10, 0)
    expect(await folder.takeCleanMarker()).toBeUndefined()
  })
})

async function voted(disk: FaultyFileSystem): Promise<HardStateFile> {
  const folder = await open(disk)
  const file = await HardStateFile.open(folder, { term: 0, vote: null })
  if (folder.isNew) await folder.begun()
  return file
}

describe('term and vote', () => {
  test('are there after a crash once they were saved', async () => {
    const disk = new FaultyFileSystem()
    const file = await voted(disk)
    for (let term = 1; term < 6; term++) await file.save({ term, vote: 'n1' })
    disk.crash(seededRandom(1), 0)
    expect((await voted(disk)).value).toEqual({ term: 5, vote: 'n1' })
  })

  test('survive a crash at any change of a save: the old ones or the new ones', async () => {
    for (let at = 0; at < 6; at++) {
      for (let seed = 0; seed < 20; seed++) {
        const disk = new FaultyFileSystem()
        const file = await voted(disk)
        await file.save({ term: 1, vote: 'n1' })
        disk.crashAfter(at)
        let isSaved = false
        const saving = file.save({ term: 2, vote: 'n2' }).then(() => (isSaved = true))
        await Promise.race([saving, disk.whenDown])
        disk.crash(seededRandom(seed))
        const { value } = await voted(disk)
        expect(isSaved ? [2] : [1, 2]).toContain(value['term'])
      }
    }
  })

  test('survive damage of either copy, and are refused when both are damaged', async () => {
    const disk = new FaultyFileSystem()
    const file = await voted(disk)
    await file.save({ term: 7, vote: 'n2' })
    for (const position of [30, 4096 + 30]) {
      const one = disk.copy()
      one.kill()
      one.flip('data/hard-state', position, 3)
      expect((await voted(one)).value).toEqual({ term: 7, vote: 'n2' })
    }
    disk.kill()
    disk.flip('data/hard-state', 30, 3)
    disk.flip('data/hard-state', 4096 + 30, 3)
    expect(await codeOf(voted(disk))).toBe('STORE_SLOTS_CORRUPT')
  })

  test('a killed process had written and not synced are made durable before they are believed', async () => {
    const disk = new FaultyFileSystem()
    const file = await voted(disk)
    await file.save({ term: 1, vote: 'n1' })
    disk.crashAfter(1)
    void file.save({ term: 2, vote: 'n2' })
    await disk.whenDown
    disk.kill()
    const { value } = await voted(disk)
    disk.crash(seededRandom(1), 0)
    expect((await voted(disk)).value).toEqual(value)
  })

  test('that are gone from a folder that was begun are refused', async () => {
    const disk = new FaultyFileSystem()
    await voted(disk)
    disk.kill()
    disk.remove('data/hard-state')
    expect(await codeOf(voted(disk))).toBe('STORE_FILE_MISSING')
  })

  test('reject once and for ever when the disk fails', async () => {
    const disk = new FaultyFileSystem()
    const file = await voted(disk)
    disk.fail('fdatasync', 'EIO')
    expect(await codeOf(file.save({ term: 1, vote: null }))).toBe('EIO')
    expect(await codeOf(file.save({ term: 2, vote: null }))).toBe('EIO')
    expect(file.value).toEqual({ term: 0, vote: null })
  })

  test('are saved in the order of the calls', async () => {
    const file = await voted(new FaultyFileSystem())
    const saves = [1, 2, 3].map((term) => file.save({ term, vote: null }))
    await Promise.all(saves)
    expect(file.value).toEqual({ term: 3, vote: null })
  })
})
