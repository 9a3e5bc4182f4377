import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { localOffsetStore } from '../../src/client/consumer/local-offset-store.ts'

const queue = { topic: 'T', brokerName: 'broker-a', queueId: 0 }
let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'offsets-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('what is committed is read back by the next store, and no half-written file stays', async () => {
  const path = join(folder, 'deep', 'offsets.json')
  const store = localOffsetStore(path)
  expect(await store.read(queue)).toBeUndefined()
  await Promise.all([1, 2, 3].map((queueOffset) => store.commit([{ queue, queueOffset }])))
  expect(await localOffsetStore(path).read(queue)).toBe(3)
  expect(readdirSync(join(folder, 'deep'))).toEqual(['offsets.json'])
})

test('a commit leaves the offsets of other queues as they are', async () => {
  const path = join(folder, 'offsets.json')
  await localOffsetStore(path).commit([{ queue, queueOffset: 7 }])
  await localOffsetStore(path).commit([{ queue: { ...queue, queueId: 1 }, queueOffset: 9 }])
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
    version: 1,
    offsets: { 'T@broker-a@0': 7, 'T@broker-a@1': 9 },
  })
})

test.each(['', '{', '[]', '{"version":2,"offsets":{}}', '{"version":1,"offsets":{"T@b@0":-1}}'])(
  'a file that is none of ours (%s) is refused, not overwritten',
  async (text) => {
    const path = join(folder, 'offsets.json')
    writeFileSync(path, text)
    await expect(localOffsetStore(path).commit([{ queue, queueOffset: 1 }])).rejects.toMatchObject({
      code: 'CLIENT_OFFSET_FILE',
    })
    expect(readFileSync(path, 'utf8')).toBe(text)
  },
)
