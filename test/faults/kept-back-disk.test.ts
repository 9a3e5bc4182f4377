import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { KeptBackDisk } from '../../src/faults/kept-back-disk.ts'
import { readFile } from '../../src/store/file-system.ts'
import { nodeFileSystem } from '../../src/store/node-file-system.ts'
import { fileSystemSuite } from '../suites/file-system.ts'

fileSystemSuite('a disk that keeps back what was not synced, while no power is cut', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'raftmq-'))
  return { fileSystem: new KeptBackDisk(nodeFileSystem), folder, end: () => rm(folder, { recursive: true }) }
})

describe('a power cut', () => {
  test('leaves what was synced, and of the rest what was written durably by itself', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'raftmq-'))
    const disk = new KeptBackDisk(nodeFileSystem)
    const path = join(folder, 'a')
    const file = await disk.open(path, 'create')
    await file.writev([Buffer.from('synced ')], 0)
    await file.fdatasync()
    await file.writev([Buffer.from('held ')], 7)
    await file.writevDurable([Buffer.from('SY')], 0)
    expect((await readFile(disk, path))?.toString()).toBe('SYnced held ')
    expect(disk.readSync(path, Buffer.alloc(20), 5)).toBe(7)
    // The process that held it is gone: another one sees the machine's disk.
    expect((await readFile(nodeFileSystem, path))?.toString()).toBe('SYnced ')
    await file.close()
    await rm(folder, { recursive: true })
  })
})
