import { describe, expect, test } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import { seededRandom } from '../../../src/lib/prng.ts'
import { frameOffset, frameRecordsStart, frameTerm, frameTimestampMs } from '../../../src/message/entry-frame.ts'
import { decodeRecord, recordSize } from '../../../src/message/record.ts'
import { readFile } from '../../../src/store/file-system.ts'
import { LOG_ORIGIN } from '../../../src/store/log-position.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { type OpenedNode, closeNode, draftOf, framesAfter, openNode, pumped, readAll } from './log-support.ts'

async function fill(node: OpenedNode, count: number, bodyBytes = 150): Promise<Buffer[]> {
  for (let i = 0; i < count; i++) {
    const index = node.log.end.index + 1
    node.log.append({ index, term: Math.max(1, node.log.end.term) }, draftOf(index, bodyBytes, 2))
  }
  await node.log.stable()
  return readAll(node.log)
}

async function codeOf(work: () => unknown): Promise<string | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    return errorCode(error)
  }
}

async function turns(count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

const nothing = (): void => undefined

/** The place of a frame's first record; offsets are those of a log that begins at 0. */
function firstRecord(frame: Buffer): { offset: number; size: number } {
  const at = frameRecordsStart(frame, 0)
  return { offset: frameOffset(frame, 0) + at, size: recordSize(frame, at) }
}

async function frameBytes(node: OpenedNode, index: number): Promise<Buffer> {
  return Buffer.concat((await node.log.read(index, index, 1e6))?.bytes ?? [])
}

function segmentsOf(disk: FaultyFileSystem): string[] {
  return disk.paths().filter((path) => /\d{20}$/.test(path))
}
function resize(disk: FaultyFileSystem, at: number, by: number): void {
  const path = segmentsOf(disk).at(at) ?? ''
  const content = disk.content(path)
  disk.put(path, by < 0 ? content.subarray(0, content.length + by) : Buffer.concat([content, Buffer.alloc(by)]))
}
function ruin(disk: FaultyFileSystem, path: string): void {
  disk.put(path, Buffer.alloc(8192, 0x5a))
}

describe('appending', () => {
  test('tells where each record lies, and there it lies', async () => {
    const node = await openNode(new FaultyFileSystem())
    const draft = draftOf(7, 80, 3)
    const appended = node.log.append({ index: 1, term: 1 }, draft)
    await node.log.stable()
    const size = recordSize(await frameBytes(node, 1), 56)
    const records = await node.log.readRecords(appended.offsets.map((offset) => ({ offset, size })))
    expect(records.map((record) => decodeRecord(record ?? Buffer.alloc(0), 0).body)).toEqual(
      draft.records.map(({ body }) => body),
    )
    expect(appended.timestampMs).toBe(node.clock.nowMs())
  })

  test('never lets store time go back when the clock does', async () => {
    const node = await openNode(new FaultyFileSystem())
    node.log.appendEmpty({ index: 1, term: 1 })
    const before = node.log.end.timestampMs
    node.clock.jumpWall(-60_000)
    node.log.appendEmpty({ index: 2, term: 1 })
    expect(node.log.end.timestampMs).toBe(before)
    await closeNode(node)
  })

  test('goes on from the store time of another leader, after a restart too', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    const future = node.clock.nowMs() + 1_000_000
    const frames = framesAfter({ ...LOG_ORIGIN, timestampMs: future }, 1, [draftOf(1)])
    node.log.appendFrames({ first: 1, last: 1, bytes: frames }, [{ term: 1, first: 1, last: 1 }])
    await closeNode(node)
    const again = await openNode(disk)
    again.log.appendEmpty({ index: 2, term: 2 })
    const [, last] = await readAll(again.log)
    expect(frameTimestampMs(last ?? Buffer.alloc(0), 0)).toBe(future + 1)
  })

  test('gives followers the same bytes in the same segments, whatever their own segment size', async () => {
    const leader = await openNode(new FaultyFileSystem())
    const frames = await fill(leader, 40)
    const disk = new FaultyFileSystem()
    const follower = await openNode(disk, { options: { segmentBytes: 100 } })
    follower.log.appendFrames({ first: 1, last: 40, bytes: frames }, [{ term: 1, first: 1, last: 40 }])
    await follower.log.stable()
    expect(follower.log.segments()).toEqual(leader.log.segments())
    expect(leader.log.segments().length).toBeGreaterThan(3)
    expect((await readAll(follower.log)).every((frame, i) => frame.equals(frames[i] ?? Buffer.alloc(0)))).toBe(true)
  })

  test('takes frames that are spread over buffers in any way', async () => {
    const leader = await openNode(new FaultyFileSystem())
    const frames = await fill(leader, 12)
    const all = Buffer.concat(frames)
    for (let seed = 0; seed < 20; seed++) {
      const random = seededRandom(seed)
      const parts: Buffer[] = []
      for (let at = 0; at < all.length; ) {
        const end = Math.min(all.length, at + random.integer(1, 900))
        parts.push(all.subarray(at, end))
        at = end
      }
      const follower = await openNode(new FaultyFileSystem())
      follower.log.appendFrames({ first: 1, last: 12, bytes: parts }, [{ term: 1, first: 1, last: 12 }])
      expect(Buffer.concat(await readAll(follower.log)).equals(all)).toBe(true)
    }
  })

  test('refuses what a peer sends wrong, and takes none of it', async () => {
    const leader = await openNode(new FaultyFileSystem())
    const frames = await fill(leader, 4)
    const runs = [{ term: 1, first: 1, last: 4 }]
    const good = { first: 1, last: 4, bytes: frames }
    const flipped = Buffer.from(frames[2] ?? [])
    flipped[80] = (flipped[80] ?? 0) ^ 1
    const cases: [typeof good, typeof runs][] = [
      [{ ...good, bytes: frames.slice(0, 3) }, runs],
      [{ ...good, bytes: [...frames.slice(0, 2), flipped, ...frames.slice(3)] }, runs],
      [{ ...good, bytes: [...frames.slice(0, 1), ...frames.slice(2), ...frames.slice(1, 2)] }, runs],
      [{ ...good, bytes: [...frames, Buffer.from([1])] }, runs],
      [{ ...good, bytes: [Buffer.concat(frames).subarray(1)] }, runs],
      [good, [{ term: 2, first: 1, last: 4 }]],
      [good, [{ term: 1, first: 1, last: 3 }]],
      [good, []],
    ]
    for (const [entries, announced] of cases) {
      const node = await openNode(new FaultyFileSystem())
      expect(await codeOf(() => node.log.appendFrames(entries, announced))).toBe('RAFT_BAD_ENTRIES')
      expect(node.log.end.index).toBe(0)
    }
  })
})

describe('reading', () => {
  test('gives whole entries up to the bytes asked for, at least one, and nothing outside', async () => {
    const node = await openNode(new FaultyFileSystem(), { options: { tailCacheBytes: 1e6 } })
    const frames = await fill(node, 10)
    const length = frames[0]?.length ?? 0
    const some = node.log.read(2, 9, length * 3 + 10)
    expect(some).toMatchObject({ first: 2, last: 4 })
    expect(node.log.read(2, 9, 1)).toMatchObject({ first: 2, last: 2 })
    expect(node.log.read(5, 10, 1e9)).toMatchObject({ first: 5, last: 10 })
    expect(node.log.read(0, 5, 1e9)).toBeUndefined()
    expect(node.log.read(5, 11, 1e9)).toBeUndefined()
    expect(node.log.byteLength(2, 4)).toBe(length * 3)
    expect(node.log.byteLength(4, 3)).toBe(0)
  })

  test('reads cold entries from the disk, newest from memory at once', async () => {
    const node = await openNode(new FaultyFileSystem())
    const frames = await fill(node, 60)
    expect(node.log.read(60, 60, 1)).not.toBeInstanceOf(Promise)
    const cold = node.log.read(1, 60, 1e6)
    expect(cold).toBeInstanceOf(Promise)
    const found = await cold
    expect(found?.first).toBe(1)
    expect(Buffer.concat(found?.bytes ?? []).equals(Buffer.concat(frames.slice(0, found?.last)))).toBe(true)
    // What was verified once is in memory.
    expect(node.log.read(1, 1, 1)).not.toBeInstanceOf(Promise)
  })

  test('keeps memory and descriptors within their limits', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    await fill(node, 200)
    expect(node.log.segments().length).toBeGreaterThan(10)
    const frames = await readAll(node.log)
    expect(frames).toHaveLength(200)
    // Files of the folder, the segment that grows, and the readers'.
    expect(disk.openFiles).toBeLessThanOrEqual(4 + 3)
  })

  test('a record that was dropped or cut off is not there', async () => {
    const node = await openNode(new FaultyFileSystem())
    const frames = await fill(node, 60)
    const places = [frames[0], frames[30], frames[59]].map((frame) => firstRecord(frame ?? Buffer.alloc(0)))
    await node.log.dropBefore(node.log.end.offset / 3)
    node.log.truncateAfter(50)
    const records = await node.log.readRecords(places)
    expect(records.map((record) => record !== undefined)).toEqual([false, true, false])
  })

  test('a reader that waits for the disk while the log is cut gets nothing of what was cut', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    await fill(node, 60)
    let release = nothing
    disk.before = (operation) => (operation === 'pread' ? new Promise((resolve) => (release = resolve)) : undefined)
    const reading = node.log.read(20, 60, 1e6)
    await turns()
    node.log.truncateAfter(10)
    disk.before = undefined
    release()
    expect(await reading).toBeUndefined()
    expect(node.log.badRanges()).toEqual([])
  })

  test('a reader that waits for the disk while the log is cut behind what it wants still gets it', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    const frames = await fill(node, 60)
    const held: (() => void)[] = []
    disk.before = (operation) => (operation === 'pread' ? new Promise((resolve) => held.push(resolve)) : undefined)
    const entries = node.log.read(5, 5, 1)
    const records = node.log.readRecords([firstRecord(frames[35] ?? Buffer.alloc(0))])
    await turns()
    expect(held).toHaveLength(2)
    node.log.truncateAfter(50)
    disk.before = undefined
    for (const release of held) release()
    expect(Buffer.concat((await entries)?.bytes ?? [])).toEqual(frames[4])
    expect((await records).map((record) => record !== undefined)).toEqual([true])
  })

  test('what was read before a cut is not what is read after it', async () => {
    const node = await openNode(new FaultyFileSystem(), { options: { readCacheBytes: 1e6 } })
    await fill(node, 60)
    await readAll(node.log)
    node.log.truncateAfter(20)
    node.log.appendEmpty({ index: 21, term: 2 })
    const frames = await fill(node, 39)
    expect(frames.map((frame) => frameTerm(frame, 0))).toEqual(frames.map((_, i) => (i < 20 ? 1 : 2)))
  })

  test('a lack of descriptors is waited out and then told to the reader, never to the writer', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    await fill(node, 60)
    disk.fail('open', 'EMFILE', { path: /\d{20}$/, times: 2 })
    expect(await pumped(node.clock, Promise.resolve(node.log.read(1, 1, 1)))).toMatchObject({ first: 1 })
    disk.fail('open', 'EMFILE', { path: /\d{20}$/, times: 1e9 })
    expect(await codeOf(() => pumped(node.clock, Promise.resolve(node.log.read(20, 20, 1))))).toBe('EMFILE')
    disk.heal()
    await fill(node, 2)
    expect(node.failures).toEqual([])
  })
})

describe('a cut', () => {
  test('into a segment long out of memory finds its place on the disk', async () => {
    for (const index of [0, 1, 7, 20, 21, 22, 23, 24, 59, 60]) {
      const disk = new FaultyFileSystem()
      const node = await openNode(disk)
      const frames = await fill(node, 60)
      await closeNode(node)
      const { log, ...rest } = await openNode(disk)
      log.truncateAfter(index)
      expect(log.end.index).toBe(index)
      log.appendEmpty({ index: index + 1, term: 5 })
      await log.stable()
      const kept = await readAll(log)
      expect(Buffer.concat(kept.slice(0, -1)).equals(Buffer.concat(frames.slice(0, index)))).toBe(true)
      await closeNode({ log, ...rest })
      const again = await openNode(disk)
      expect(Buffer.concat(await readAll(again.log)).equals(Buffer.concat(kept))).toBe(true)
      expect(again.log.recovery.scannedBytes).toBe(0)
    }
  })
})

test('a cut below the mark is remembered by both of its copies', async () => {
  for (const position of [30, 4096 + 30]) {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    await fill(node, 20)
    node.clock.advance(500)
    await turns(100)
    node.log.truncateAfter(5)
    await node.log.stable()
    disk.kill()
    disk.flip('data/sync-mark', position, 1)
    expect((await openNode(disk)).log.end.index).toBe(5)
  }
})

describe('opening', () => {
  test('after a clean stop reads no frame; after a kill only those that no index covers', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    const frames = await fill(node, 100)
    await closeNode(node)
    const clean = await openNode(disk)
    expect(clean.log.recovery).toMatchObject({ scannedBytes: 0, rewrittenBytes: 0, cutBytes: 0 })
    expect(await readAll(clean.log)).toHaveLength(100)
    await fill(clean, 60)
    clean.clock.advance(500)
    await turns(300)
    disk.kill()
    const killed = await openNode(disk)
    expect(killed.log.end.index).toBe(160)
    expect(killed.log.recovery.scannedBytes).toBeLessThan((frames[0]?.length ?? 0) * 20)
  })

  test('believes an index only up to the mark', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk, { options: { segmentBytes: 1e6, indexEveryBytes: 1e6 } })
    await fill(node, 10)
    node.clock.advance(500)
    await turns(100)
    const mark = disk.content('data/sync-mark')
    const path = segmentsOf(disk)[0] ?? ''
    const content = disk.content(path)
    await fill(node, 10)
    await closeNode(node)
    // The medium lost everything behind the mark but the index.
    disk.put('data/sync-mark', mark)
    disk.put(path, content)
    disk.remove('data/clean')
    const again = await openNode(disk)
    expect(again.log.end.index).toBe(10)
    expect(await readAll(again.log)).toHaveLength(10)
  })

  test('makes the index files again when they are gone', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    const frames = await fill(node, 60)
    await closeNode(node)
    for (const path of disk.paths()) if (path.endsWith('.index')) disk.remove(path)
    const again = await openNode(disk)
    expect(again.log.recovery.scannedBytes).toBeGreaterThan(0)
    expect(Buffer.concat(await readAll(again.log)).equals(Buffer.concat(frames))).toBe(true)
    await closeNode(again)
    expect((await openNode(disk)).log.recovery.scannedBytes).toBe(0)
  })

  test.each([
    [
      'the first segment is gone',
      (disk: FaultyFileSystem) => disk.remove(segmentsOf(disk)[0] ?? ''),
      'STORE_SEGMENT_MISSING',
    ],
    [
      'an inner segment is gone',
      (disk: FaultyFileSystem) => disk.remove(segmentsOf(disk)[2] ?? ''),
      'STORE_SEGMENT_MISSING',
    ],
    [
      'the last segment is gone',
      (disk: FaultyFileSystem) => disk.remove(segmentsOf(disk).at(-1) ?? ''),
      'STORE_SEGMENT_MISSING',
    ],
    [
      'all segments are gone',
      (disk: FaultyFileSystem) => segmentsOf(disk).forEach((path) => disk.remove(path)),
      'STORE_SEGMENT_MISSING',
    ],
    ['an inner segment is shorter', (disk: FaultyFileSystem) => resize(disk, 1, -10), 'STORE_SEGMENT_LENGTH'],
    ['an inner segment is longer', (disk: FaultyFileSystem) => resize(disk, 1, 10), 'STORE_SEGMENT_LENGTH'],
    [
      'the last segment is shorter than the mark',
      (disk: FaultyFileSystem) => resize(disk, -1, -10),
      'STORE_SEGMENT_LENGTH',
    ],
    ['the sync mark is gone', (disk: FaultyFileSystem) => disk.remove('data/sync-mark'), 'STORE_FILE_MISSING'],
    ['the log start is gone', (disk: FaultyFileSystem) => disk.remove('data/log-start'), 'STORE_FILE_MISSING'],
    [
      'both copies of the sync mark are damaged',
      (disk: FaultyFileSystem) => ruin(disk, 'data/sync-mark'),
      'STORE_SLOTS_CORRUPT',
    ],
    [
      'both copies of the log start are damaged',
      (disk: FaultyFileSystem) => ruin(disk, 'data/log-start'),
      'STORE_SLOTS_CORRUPT',
    ],
    [
      'both copies of the identity are damaged',
      (disk: FaultyFileSystem) => ruin(disk, 'data/identity'),
      'STORE_SLOTS_CORRUPT',
    ],
    ['the identity is gone', (disk: FaultyFileSystem) => disk.remove('data/identity'), 'STORE_NAMELESS_LOG'],
  ] as const)('refuses a folder where %s', async (_what, harm, code) => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    await fill(node, 60)
    await closeNode(node)
    harm(disk)
    // Nothing was wiped: an operator may still look. Small files that are gone may be there again, empty.
    const kept = (): string[] => disk.paths().filter((path) => !/^data\/(clean|sync-mark|log-start)$/.test(path))
    const before = kept()
    expect(await codeOf(() => openNode(disk))).toBe(code)
    expect(kept()).toEqual(before)
  })

  test('refuses the store of a broker of RocketMQ, also when asked again, and leaves it as it is', async () => {
    const disk = new FaultyFileSystem()
    await disk.mkdir('data')
    await disk.mkdir('data/commitlog')
    const theirs = await disk.open('data/commitlog/00000000001073741824', 'create')
    await theirs.writev([Buffer.from('messages')], 0)
    await theirs.close()
    expect(await codeOf(() => openNode(disk))).toBe('STORE_NAMELESS_LOG')
    expect(await codeOf(() => openNode(disk))).toBe('STORE_NAMELESS_LOG')
    expect((await readFile(disk, 'data/commitlog/00000000001073741824'))?.toString()).toBe('messages')
    expect(disk.paths()).toEqual(['data/commitlog/00000000001073741824'])
  })

  test('a frame that follows a lost overwrite does not belong to the log', async () => {
    // Entry 3 of term 2 was acknowledged to be overwritten and the disk lost it: entry 4 of term 2 stands behind the old one.
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    const before = framesAfter(LOG_ORIGIN, 1, [draftOf(1), draftOf(2), draftOf(3)])
    node.log.appendFrames({ first: 1, last: 3, bytes: before }, [{ term: 1, first: 1, last: 3 }])
    await node.log.stable()
    node.log.truncateAfter(2)
    const behind = framesAfter(node.log.end, 2, [draftOf(4), draftOf(5)])
    disk.kill()
    const path = 'data/commitlog/00000000000000000000'
    disk.put(path, Buffer.concat([...before, behind[1] ?? Buffer.alloc(0)]))
    const again = await openNode(disk)
    expect(again.log.end.index).toBe(3)
  })
})

describe('dropping from the front', () => {
  test('removes whole segments below, keeps the membership that the rest stands on, and stays after a restart', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk)
    node.log.appendMembership({ index: 1, term: 1 }, Buffer.from('one'))
    node.log.appendMembership({ index: 2, term: 1 }, Buffer.from('two'))
    await fill(node, 60)
    const segments = node.log.segments()
    const third = segments[2]
    await node.log.dropBefore((third?.startOffset ?? 0) + 5)
    expect(node.log.start.offset).toBe(third?.startOffset)
    expect(node.log.state().memberships.map(({ bytes }) => bytes.toString())).toEqual(['two'])
    expect(disk.paths().filter((path) => /\d{20}$/.test(path))).toHaveLength(segments.length - 2)
    const state = node.log.state()
    await closeNode(node)
    const again = await openNode(disk)
    expect(again.log.state()).toEqual(state)
    expect(again.log.read(1, 1, 1)).toBeUndefined()
  })

  test('never takes the segment that grows, nor what is not durable', async () => {
    const node = await openNode(new FaultyFileSystem())
    await node.log.dropBefore(1e12)
    expect(node.log.segments()).toHaveLength(1)
    for (let index = 1; index <= 60; index++) node.log.append({ index, term: 1 }, draftOf(index, 200))
    await node.log.dropBefore(1e12)
    expect(node.log.start.index).toBe(0)
    await node.log.stable()
    await node.log.dropBefore(1e12)
    expect(node.log.segments()).toHaveLength(1)
    expect(node.log.start.index).toBeGreaterThan(0)
  })
})
