/** The contract of `FileSystem`, run on the machine's disk and on the faulty one: that lies only where it says so. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { type FileSystem, readExactly, readFile } from '../../src/store/file-system.ts'

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}

export function fileSystemSuite(
  name: string,
  make: () => Promise<{ fileSystem: FileSystem; folder: string; end: () => Promise<void> }>,
): void {
  describe(name, () => {
    let fileSystem: FileSystem
    let folder: string
    let end: () => Promise<void>

    beforeEach(async () => {
      ;({ fileSystem, folder, end } = await make())
    })
    afterEach(() => end())

    async function write(path: string, content: string): Promise<void> {
      const file = await fileSystem.open(path, 'create')
      await file.truncate(0)
      await file.writev([Buffer.from(content)], 0)
      await file.fdatasync()
      await file.close()
    }

    test('what is written at a place is read from it', async () => {
      const file = await fileSystem.open(`${folder}/a`, 'create')
      await file.writev([Buffer.from('one'), Buffer.from('two'), Buffer.alloc(0), Buffer.from('three')], 0)
      await file.writev([Buffer.from('TWO')], 3)
      expect((await readExactly(file, 0, 11))?.toString()).toBe('oneTWOthree')
      expect(await file.size()).toBe(11)
      await file.fdatasync()
      await file.close()
    })

    test('a durable write writes what a plain one does', async () => {
      const file = await fileSystem.open(`${folder}/a`, 'create')
      await file.writev([Buffer.from('one')], 0)
      await file.writevDurable([Buffer.from('two'), Buffer.from('three')], 3)
      await file.writevDurable([Buffer.from('ONE')], 0)
      expect((await readExactly(file, 0, 11))?.toString()).toBe('ONEtwothree')
      await file.close()
    })

    test('more buffers than one call takes are all written', async () => {
      const file = await fileSystem.open(`${folder}/a`, 'create')
      const buffers = Array.from({ length: 3000 }, (_, i) => Buffer.from([i % 251, i % 7]))
      await file.writev(buffers, 5)
      expect((await readExactly(file, 5, 6000))?.equals(Buffer.concat(buffers))).toBe(true)
      await file.close()
    })

    test('reading at the end of a file gives what there is', async () => {
      await write(`${folder}/a`, 'abc')
      const file = await fileSystem.open(`${folder}/a`, 'read')
      expect(await file.pread(Buffer.alloc(10), 1)).toBe(2)
      expect(await file.pread(Buffer.alloc(10), 7)).toBe(0)
      expect(await readExactly(file, 0, 4)).toBeUndefined()
      await file.close()
    })

    test('a gap in front of a write reads as zeros', async () => {
      const file = await fileSystem.open(`${folder}/a`, 'create')
      await file.writev([Buffer.from('x')], 3)
      expect(await readExactly(file, 0, 4)).toEqual(Buffer.from([0, 0, 0, 120]))
      await file.close()
    })

    test('a file is cut and extended with zeros', async () => {
      const file = await fileSystem.open(`${folder}/a`, 'create')
      await file.writev([Buffer.from('abcdef')], 0)
      await file.truncate(3)
      expect(await file.size()).toBe(3)
      await file.truncate(5)
      expect(await readExactly(file, 0, 5)).toEqual(Buffer.from([97, 98, 99, 0, 0]))
      await file.close()
    })

    test('the modes of opening make, find or refuse a file', async () => {
      expect(await codeOf(fileSystem.open(`${folder}/a`, 'read'))).toBe('ENOENT')
      expect(await codeOf(fileSystem.open(`${folder}/a`, 'write'))).toBe('ENOENT')
      await (await fileSystem.open(`${folder}/a`, 'createNew')).close()
      expect(await codeOf(fileSystem.open(`${folder}/a`, 'createNew'))).toBe('EEXIST')
      await (await fileSystem.open(`${folder}/a`, 'create')).close()
      expect(await codeOf(fileSystem.open(`${folder}/missing/a`, 'create'))).toBe('ENOENT')
    })

    test('closing twice is closing once', async () => {
      const file = await fileSystem.open(`${folder}/a`, 'create')
      await file.close()
      await file.close()
    })

    test('a rename replaces what has the name', async () => {
      await write(`${folder}/a`, 'new')
      await write(`${folder}/b`, 'old')
      await fileSystem.rename(`${folder}/a`, `${folder}/b`)
      await fileSystem.fsyncFolder(folder)
      expect((await readFile(fileSystem, `${folder}/b`))?.toString()).toBe('new')
      expect(await readFile(fileSystem, `${folder}/a`)).toBeUndefined()
      expect(await codeOf(fileSystem.rename(`${folder}/a`, `${folder}/b`))).toBe('ENOENT')
    })

    test('an open file outlives its name', async () => {
      await write(`${folder}/a`, 'abc')
      const file = await fileSystem.open(`${folder}/a`, 'read')
      await fileSystem.unlink(`${folder}/a`)
      expect((await readExactly(file, 0, 3))?.toString()).toBe('abc')
      await file.close()
      expect(await fileSystem.stat(`${folder}/a`)).toBeUndefined()
    })

    test('removing what is gone is done already', async () => {
      await fileSystem.unlink(`${folder}/a`)
      await fileSystem.removeFolder(`${folder}/b`)
    })

    test('folders are made with those above, listed in order, and removed with what is in them', async () => {
      await fileSystem.mkdir(`${folder}/x/y`)
      await fileSystem.mkdir(`${folder}/x/y`)
      await write(`${folder}/x/y/2`, 'two')
      await write(`${folder}/x/y/1`, 'one')
      expect(await fileSystem.readdir(`${folder}/x/y`)).toEqual(['1', '2'])
      expect(await fileSystem.readdir(`${folder}/x`)).toEqual(['y'])
      expect((await fileSystem.stat(`${folder}/x/y`))?.isFolder).toBe(true)
      expect(await fileSystem.stat(`${folder}/x/y/1`)).toEqual({ size: 3, isFolder: false })
      await fileSystem.removeFolder(`${folder}/x`)
      expect(await fileSystem.readdir(folder)).toEqual([])
    })

    test('many make the folders above theirs at the same time', async () => {
      await Promise.all(['a', 'b', 'c', 'd'].map((name) => fileSystem.mkdir(`${folder}/x/y/${name}`)))
      expect(await fileSystem.readdir(`${folder}/x/y`)).toEqual(['a', 'b', 'c', 'd'])
    })

    test('reading at once gives what waiting gives', async () => {
      await write(`${folder}/a`, 'abcdef')
      const target = Buffer.alloc(4)
      expect(fileSystem.readSync(`${folder}/a`, target, 3)).toBe(3)
      expect(target.toString('utf8', 0, 3)).toBe('def')
    })

    test('the disk says how much room there is', async () => {
      const { totalBytes, freeBytes } = await fileSystem.space(folder)
      expect(totalBytes).toBeGreaterThan(0)
      expect(freeBytes).toBeGreaterThan(0)
      expect(freeBytes).toBeLessThanOrEqual(totalBytes)
    })
  })
}
