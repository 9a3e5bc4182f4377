import { expect, test } from 'vitest'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { closeNode, draftOf, openNode, pumped } from './log-support.ts'

const lazy = { mode: 'async', maxUnflushedBytes: 1 << 20, maxUnflushedMs: 10_000 } as const

test('in async flush what is stable is not durable yet; going to sync flush begins to make it so', async () => {
  const disk = new FaultyFileSystem()
  const node = await openNode(disk, { options: lazy })
  node.log.append({ index: 1, term: 1 }, draftOf(1))
  await node.log.stable()
  expect(node.log.durableIndex).toBe(0)
  node.log.setFlushMode('sync')
  // Nobody waits for it, nothing is appended: it becomes durable all the same.
  await pumped(node.clock, node.log.stable())
  expect(node.log.durableIndex).toBe(1)
  await closeNode(node)
})

test('what is stable after the change covers everything written before it', async () => {
  const disk = new FaultyFileSystem()
  const node = await openNode(disk, { options: lazy })
  node.log.append({ index: 1, term: 1 }, draftOf(1))
  const early = node.log.stable()
  node.log.setFlushMode('sync')
  node.log.append({ index: 2, term: 1 }, draftOf(2))
  await node.log.stable()
  await early
  expect(node.log.durableIndex).toBe(2)
  await closeNode(node)
})

test('an index that is about to be cut off is not durable, whatever was flushed there', async () => {
  const disk = new FaultyFileSystem()
  const node = await openNode(disk)
  for (const index of [1, 2, 3]) node.log.append({ index, term: 1 }, draftOf(index))
  await node.log.stable()
  expect(node.log.durableIndex).toBe(3)
  node.log.truncateAfter(1)
  node.log.append({ index: 2, term: 2 }, draftOf(4))
  expect(node.log.durableIndex).toBe(1)
  await node.log.stable()
  expect(node.log.durableIndex).toBe(2)
  await closeNode(node)
})
