import { expect, test } from 'vitest'
import { EarlyFile } from '../../../src/store/early-file.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'

test('what had rotted is known again after a restart, as the span of all of it, until it is accounted for', async () => {
  const disk = new FaultyFileSystem()
  await disk.mkdir('d')
  const early = await EarlyFile.open(disk, 'd/early')
  await early.save({ term: 3, all: true })
  await early.rotted(500, 600)
  await early.rotted(900, 950)
  const changes = disk.changeCount
  await early.rotted(500, 600)
  expect(disk.changeCount).toBe(changes)
  await early.close()
  const again = await EarlyFile.open(disk, 'd/early')
  expect(again.value).toEqual({ term: 3, all: true, rotten: [500, 950] })
  await again.save({ term: 0, all: false })
  expect(again.value).toEqual({ term: 0, all: false })
  await again.close()
})
