import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/lib/prng.ts'
import { LOG_ORIGIN } from '../../../src/store/log-position.ts'
import { LOST_FILES_MAX, LostMessages } from '../../../src/store/lost-messages.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { draftOf, framesAfter, recordOf } from './log-support.ts'

function draft(body: string, properties = ''): ReturnType<typeof draftOf> {
  const record = { ...recordOf(Buffer.from(body)), properties: Buffer.from(properties) }
  return { records: [record], queueOffsets: [0], command: undefined }
}

const bodies = async (lost: LostMessages): Promise<string[]> =>
  (await lost.list()).flatMap(({ messages }) => messages.map(({ body }) => body.toString()))

test('what is set aside is durable before the log is cut, and counts once it was', async () => {
  const disk = new FaultyFileSystem()
  const lost = new LostMessages(disk, 'data/lost')
  await lost.setAside(0, framesAfter(LOG_ORIGIN, 3, [draft('one'), draft('two')]), { term: 3, all: true })
  disk.crash(seededRandom(1), 0)
  expect(await bodies(lost)).toEqual([])
  await lost.settle(() => true)
  expect(await bodies(lost)).toEqual(['one', 'two'])
  const [file] = await lost.list()
  expect(file).toMatchObject({ term: 3, isResent: false })
  await lost.markResent(file?.name ?? '')
  expect((await lost.list()).map(({ isResent }) => isResent)).toEqual([true])
})

test('what was not cut after all is not lost', async () => {
  const disk = new FaultyFileSystem()
  const lost = new LostMessages(disk, 'data/lost')
  await lost.setAside(0, framesAfter(LOG_ORIGIN, 3, [draft('one')]), { term: 3, all: true })
  const asked: number[][] = []
  await lost.settle((index, term) => {
    asked.push([index, term])
    return false
  })
  expect(asked).toEqual([[1, 3]])
  expect(await bodies(lost)).toEqual([])
})

test('only what this node may have acknowledged is kept: of its term, and of messages that do not wait those alone', async () => {
  const disk = new FaultyFileSystem()
  const lost = new LostMessages(disk, 'data/lost')
  const drafts = [draft('waits'), draft('does not', 'WAIT\u0001false\u0002'), draft('does', 'WAIT\u0001true\u0002')]
  await lost.setAside(0, framesAfter(LOG_ORIGIN, 3, drafts), { term: 2, all: true })
  await lost.setAside(0, framesAfter(LOG_ORIGIN, 3, drafts), { term: 3, all: false })
  await lost.settle(() => true)
  expect(await bodies(lost)).toEqual(['does not'])
})

test('of many files the oldest go', async () => {
  const disk = new FaultyFileSystem()
  const lost = new LostMessages(disk, 'data/lost')
  for (let at = 0; at < LOST_FILES_MAX + 3; at++) {
    await lost.setAside(at, framesAfter(LOG_ORIGIN, 3, [draft(String(at))]), { term: 3, all: true })
  }
  await lost.settle(() => true)
  expect((await bodies(lost))[0]).toBe('3')
})
