import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/lib/prng.ts'
import { readFile } from '../../../src/store/file-system.ts'
import { nodeFileSystem } from '../../../src/store/node-file-system.ts'
import { fileSystemSuite } from '../../suites/file-system.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'

fileSystemSuite('the disk of this machine', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'raftmq-'))
  return { fileSystem: nodeFileSystem, folder, end: () => rm(folder, { recursive: true }) }
})

fileSystemSuite('the faulty disk, while nothing goes wrong', async () => {
  const fileSystem = new FaultyFileSystem()
  await fileSystem.mkdir('data')
  return { fileSystem, folder: 'data', end: () => Promise.resolve() }
})

async function disk(): Promise<FaultyFileSystem> {
  const fileSystem = new FaultyFileSystem()
  await fileSystem.mkdir('d')
  return fileSystem
}

describe('the faulty disk', () => {
  test('loses at a crash what was not synced and keeps what was', async () => {
    const fileSystem = await disk()
    const file = await fileSystem.open('d/a', 'create')
    await file.writev([Buffer.from('kept')], 0)
    await file.fdatasync()
    await fileSystem.fsyncFolder('d')
    await file.writev([Buffer.from('lost')], 4)
    fileSystem.crash(seededRandom(1), 0)
    expect(fileSystem.content('d/a').toString()).toBe('kept')
  })

  test('keeps of durable and plain writes the durable ones', async () => {
    const fileSystem = await disk()
    const file = await fileSystem.open('d/a', 'create')
    await fileSystem.fsyncFolder('d')
    await file.writev([Buffer.from('aaaa')], 0)
    await file.writevDurable([Buffer.from('bb')], 4)
    fileSystem.crash(seededRandom(1), 0)
    expect(fileSystem.content('d/a')).toEqual(Buffer.from([0, 0, 0, 0, 98, 98]))
  })

  test('loses a file whose name was not synced', async () => {
    const fileSystem = await disk()
    const file = await fileSystem.open('d/a', 'create')
    await file.fdatasync()
    fileSystem.crash(seededRandom(1), 0)
    expect(fileSystem.paths()).toEqual([])
  })

  test('keeps what was written when only the process dies', async () => {
    const fileSystem = await disk()
    const file = await fileSystem.open('d/a', 'create')
    await file.writev([Buffer.from('abc')], 0)
    fileSystem.kill()
    expect((await readFile(fileSystem, 'd/a'))?.toString()).toBe('abc')
  })

  test('tears a long write at sectors, and may keep a later one without an earlier one', async () => {
    const seen = new Set<string>()
    for (let seed = 0; seed < 40; seed++) {
      const fileSystem = await disk()
      const file = await fileSystem.open('d/a', 'create')
      await fileSystem.fsyncFolder('d')
      await file.writev([Buffer.alloc(512, 1)], 0)
      await file.writev([Buffer.alloc(1024, 2)], 512)
      fileSystem.crash(seededRandom(seed), 0.5)
      const content = fileSystem.content('d/a')
      seen.add([content[0], content[512], content[1024]].map((byte) => byte ?? '-').join(''))
    }
    expect(seen).toContain('02-')
    expect(seen).toContain('1--')
    expect(seen).toContain('002')
    expect(seen).toContain('122')
  })

  test('shows after a failed sync what the medium will never get', async () => {
    const fileSystem = await disk()
    const file = await fileSystem.open('d/a', 'create')
    await fileSystem.fsyncFolder('d')
    await file.writev([Buffer.from('abc')], 0)
    fileSystem.fail('fdatasync', 'EIO')
    await expect(file.fdatasync()).rejects.toMatchObject({ code: 'EIO' })
    expect((await readFile(fileSystem, 'd/a'))?.toString()).toBe('abc')
    fileSystem.crash(seededRandom(1), 1)
    expect(fileSystem.content('d/a').length).toBe(0)
  })

  test('is full at its capacity, after a part of the write', async () => {
    const fileSystem = await disk()
    fileSystem.capacityBytes = 5
    const file = await fileSystem.open('d/a', 'create')
    await expect(file.writev([Buffer.from('abcdefgh')], 0)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(await file.size()).toBe(5)
  })

  test('hangs for ever after the change that was ordered to be the last', async () => {
    const fileSystem = await disk()
    const file = await fileSystem.open('d/a', 'create')
    fileSystem.crashAfter(1)
    await file.writev([Buffer.from('a')], 0)
    let isDone = false
    void file.writev([Buffer.from('b')], 1).then(() => (isDone = true))
    await fileSystem.whenDown
    await Promise.resolve()
    expect(isDone).toBe(false)
    expect(fileSystem.content('d/a').toString()).toBe('a')
  })
})
