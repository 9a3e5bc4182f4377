import { beforeEach, expect, test } from 'vitest'
import { stageReset } from '../../../src/broker/node/staged-reset.ts'
import { LOG_ORIGIN } from '../../../src/store/log-position.ts'
import { ResetFile } from '../../../src/store/reset-state.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'

const start = { position: LOG_ORIGIN, logStart: 0, tablesIndex: 7 }
const nothingToKeep = (): Promise<void> => Promise.resolve()

let disk: FaultyFileSystem
let state: Uint8Array

beforeEach(async () => {
  disk = new FaultyFileSystem()
  await disk.mkdir('d')
  const file = await ResetFile.make(disk, 'd/sent', { start, queues: [], tables: [] })
  state = await file.read(0, file.byteLength)
  await file.close()
})

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes)
}

function staged(bytes = state, setAside = nothingToKeep): Promise<unknown> {
  return stageReset({ fileSystem: disk, path: 'd/state', setAside }, chunksOf(bytes))
}

test('what a leader sent is staged, and what this node may have acknowledged is set aside behind it', async () => {
  const paths: (readonly string[])[] = []
  expect(await staged(state, () => Promise.resolve(void paths.push(disk.paths())))).toEqual(start)
  expect(paths).toEqual([['d/state']])
})

test('a full disk puts a reset off and keeps nothing of it: the leader begins again', async () => {
  disk.capacityBytes = 10
  await expect(staged()).rejects.toMatchObject({ code: 'RAFT_LOG_FULL' })
  expect(disk.paths()).toEqual([])
  disk.capacityBytes = Infinity
  expect(await staged()).toEqual(start)
})

test('so does a disk without room for what has to be set aside', async () => {
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  await expect(staged(state, () => Promise.reject(full))).rejects.toMatchObject({ code: 'RAFT_LOG_FULL' })
})

test('bytes that are no state are refused, and any other error of the disk is its owner’s', async () => {
  await expect(staged(Buffer.from('what is this?'))).rejects.toMatchObject({ code: 'RAFT_BAD_ENTRIES' })
  const broken = Object.assign(new Error('broken'), { code: 'EIO' })
  await expect(staged(state, () => Promise.reject(broken))).rejects.toBe(broken)
})
