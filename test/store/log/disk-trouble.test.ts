import { describe, expect, test } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import { seededRandom } from '../../../src/lib/prng.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { type OpenedNode, closeNode, draftOf, openNode, readAll } from './log-support.ts'

function append(node: OpenedNode, count = 1, bodyBytes = 100): void {
  for (let i = 0; i < count; i++) {
    const index = node.log.end.index + 1
    node.log.append({ index, term: 1 }, draftOf(index, bodyBytes))
  }
}

const nothing = (): void => undefined

async function turns(count = 60): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

/** Whether a promise is done after some turns. */
async function isDone(work: Promise<unknown>): Promise<boolean> {
  let done = false
  const settle = (): void => {
    done = true
  }
  work.then(settle, settle)
  await turns()
  return done
}

async function codeOf(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}

describe('a full disk', () => {
  test('is waited out: nothing is stable meanwhile, everything is when there is room, without a restart', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    append(node, 5)
    await node.log.stable()
    disk.capacityBytes = disk.paths().reduce((sum, path) => sum + disk.content(path).length, 0) + 100
    append(node, 5)
    const stable = node.log.stable()
    expect(await isDone(stable)).toBe(false)
    expect(node.diskFull).toEqual([true])
    expect(node.log.isDiskFull).toBe(true)
    expect(node.log.pendingBytes).toBeGreaterThan(0)
    for (let i = 0; i < 5; i++) {
      node.clock.advance(500)
      await turns()
    }
    expect(node.diskFull).toEqual([true])
    disk.capacityBytes = Infinity
    node.clock.advance(500)
    await stable
    expect(node.diskFull).toEqual([true, false])
    expect(node.log.pendingBytes).toBe(0)
    expect(node.log.flushed).toEqual(node.log.end)
    disk.crash(seededRandom(1), 0)
    expect((await openNode(disk)).log.end.index).toBe(10)
    expect(node.failures).toEqual([])
  })

  test('met while a segment begins is waited out as well', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    disk.fail('open', 'ENOSPC', { path: /\d{20}$/, times: 1 })
    append(node, 30)
    const stable = node.log.stable()
    expect(await isDone(stable)).toBe(false)
    expect(node.diskFull).toEqual([true])
    node.clock.advance(500)
    await stable
    expect(node.diskFull).toEqual([true, false])
    expect(await readAll(node.log)).toHaveLength(30)
  })

  test('does not keep a node from closing', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    append(node, 2)
    await node.log.stable()
    disk.fail('writev', 'ENOSPC', { path: /\d{20}$/, times: 1e9 })
    append(node, 2)
    const stable = node.log.stable()
    expect(await isDone(stable)).toBe(false)
    await node.log.abandon()
    expect(await codeOf(stable)).toBe('STORE_CLOSED')
    disk.kill()
    expect((await openNode(disk)).log.end.index).toBe(2)
  })

  test('does not keep a node from closing in order: what makes the next start fast is left out', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    append(node, 30)
    await node.log.stable()
    disk.fail('writev', 'ENOSPC', { path: /\.index\.new$/, times: 1e9 })
    await closeNode(node)
    expect(node.failures).toEqual([])
    expect((await openNode(disk)).log.end.index).toBe(30)
  })
})

describe('a disk that fails', () => {
  test.each([
    ['fdatasync', 'EIO', 'STORE_WRITE_FAILED'],
    ['writev', 'EIO', 'STORE_WRITE_FAILED'],
    ['writev', 'EROFS', 'STORE_WRITE_FAILED'],
  ] as const)('with %s %s ends the log for good', async (operation, code, told) => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    append(node, 3)
    await node.log.stable()
    disk.fail(operation, code, { path: /\d{20}$/ })
    append(node, 1)
    const first = node.log.stable()
    append(node, 1)
    const second = node.log.stable()
    expect(await codeOf(first)).toBe(told)
    expect(await codeOf(second)).toBe(told)
    expect(await codeOf(node.log.stable())).toBe(told)
    expect(node.failures.map(errorCode)).toEqual([told])
    expect(node.log.flushed.index).toBe(3)
    expect(await codeOf(node.log.close())).toBe(told)
    expect(disk.paths()).not.toContain('data/clean')
  })

  test('a sync that failed once is not believed after a restart: what it covered is written again', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    append(node, 3)
    await node.log.stable()
    disk.fail('fdatasync', 'EIO', { path: /\d{20}$/ })
    append(node, 2)
    await node.log.stable().catch(() => undefined)
    disk.kill()
    // The cache shows five entries, marked clean; the medium has three.
    const again = await openNode(disk)
    expect(again.log.end.index).toBe(5)
    expect(again.log.recovery.rewrittenBytes).toBeGreaterThan(0)
    disk.crash(seededRandom(1), 0)
    expect((await openNode(disk)).log.end.index).toBe(5)
  })

  test.each(['EIO', 'ENOSPC'])(
    'fails a background sync with %s without anybody waiting, and the node is told',
    async (code) => {
      const disk = new FaultyFileSystem()
      const node = await openNode(disk, { options: { mode: 'async', maxUnflushedMs: 1000 } })
      append(node, 1)
      await node.log.stable()
      disk.fail('fdatasync', code, { path: /\d{20}$/ })
      node.clock.advance(600)
      await turns()
      expect(node.failures.map(errorCode)).toEqual(['STORE_SYNC_FAILED'])
      expect(await codeOf(node.log.stable())).toBe('STORE_SYNC_FAILED')
    },
  )

  test.each([
    ['the change to sync waits for', 0],
    ['the bound of time waits for', 1200],
  ] as const)('a sync that %s and that fails leaves nobody waiting', async (what, afterMs) => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk, { options: { mode: 'async', maxUnflushedMs: 1000 } })
    append(node, 1)
    await node.log.stable()
    const held: (() => void)[] = []
    disk.before = (operation) => (operation === 'fdatasync' ? new Promise((resolve) => held.push(resolve)) : undefined)
    disk.fail('fdatasync', 'EIO', { path: /\d{20}$/ })
    node.clock.advance(afterMs)
    if (what.includes('change')) node.log.setFlushMode('sync')
    append(node, 1)
    const stable = codeOf(node.log.stable())
    await turns()
    for (const release of held) release()
    expect(await stable).toBe('STORE_SYNC_FAILED')
    expect(node.failures).toHaveLength(1)
  })
})

describe('group commit', () => {
  test('has one flush in flight, and everything that came meanwhile rides the next', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    let syncs = 0
    let release = nothing
    disk.before = (operation, path) => {
      if (operation !== 'fdatasync' || !/\d{20}$/.test(path)) return undefined
      syncs++
      return syncs === 1 ? new Promise((resolve) => (release = resolve)) : undefined
    }
    append(node)
    const first = node.log.stable()
    await turns()
    const later: Promise<void>[] = []
    for (let i = 0; i < 10; i++) {
      append(node)
      later.push(node.log.stable())
    }
    expect(syncs).toBe(1)
    expect(await isDone(first)).toBe(false)
    release()
    await Promise.all([first, ...later])
    expect(syncs).toBe(2)
    expect(node.log.flushed.index).toBe(11)
  })

  test('resolves at once when nothing is left to do', async () => {
    const node = await openNode(new FaultyFileSystem())
    append(node)
    await node.log.stable()
    expect(await isDone(node.log.stable())).toBe(true)
  })

  test('after a change to sync makes durable what async had only written', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk, { options: { mode: 'async' } })
    append(node, 2)
    await node.log.stable()
    node.log.setFlushMode('sync')
    append(node, 1)
    await node.log.stable()
    disk.crash(seededRandom(1), 0)
    expect((await openNode(disk)).log.end.index).toBe(3)
  })

  test('follows a change of mode', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk, { options: { mode: 'async' } })
    append(node)
    await node.log.stable()
    expect(node.log.flushed.index).toBe(0)
    node.log.setFlushMode('sync')
    await node.log.stable()
    expect(node.log.flushed.index).toBe(1)
    await closeNode(node)
  })
})

describe('async flush', () => {
  test('is stable once written, and durable in the background', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk, { options: { mode: 'async', maxUnflushedMs: 1000 } })
    append(node, 3)
    await node.log.stable()
    expect(node.log.flushed.index).toBe(0)
    node.clock.advance(600)
    await turns()
    expect(node.log.flushed.index).toBe(3)
  })

  test.each([
    ['bytes', { maxUnflushedBytes: 500, maxUnflushedMs: 1e9 }],
    ['time', { maxUnflushedBytes: 1e9, maxUnflushedMs: 1000 }],
  ] as const)('waits for the sync when the bound of %s is reached', async (_what, bounds) => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk, { options: { mode: 'async', segmentBytes: 1e6, ...bounds } })
    const held: (() => void)[] = []
    disk.before = (operation, path) =>
      operation === 'fdatasync' && /\d{20}$/.test(path) ? new Promise((resolve) => held.push(resolve)) : undefined
    append(node, 1)
    expect(await isDone(node.log.stable())).toBe(true)
    node.clock.advance(600)
    await turns()
    node.clock.advance(600)
    append(node, 3)
    const stable = node.log.stable()
    expect(await isDone(stable)).toBe(false)
    while (!(await isDone(stable))) held.shift()?.()
    expect(node.log.flushed.index).toBeGreaterThan(0)
  })
})
