import { beforeAll, describe, expect, test, vi } from 'vitest'
import { errorCode } from '../../../src/lib/errors.ts'
import { type Random, seededRandom } from '../../../src/lib/prng.ts'
import { frameIndex, frameOffset } from '../../../src/message/entry-frame.ts'
import type { CommitLog } from '../../../src/store/commit-log.ts'
import { positionAfter } from '../../../src/store/log-position.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { type OpenedNode, closeNode, draftOf, framesAfter, openNode, readAll } from './log-support.ts'

const ENTRIES = 60

/** A log of some segments and terms, every entry stable and below the mark. */
async function grown(stop: 'clean' | 'killed'): Promise<{ disk: FaultyFileSystem; frames: Buffer[] }> {
  const disk = new FaultyFileSystem()
  const node = await openNode(disk)
  for (let index = 1; index <= ENTRIES; index++) {
    const term = index <= 20 ? 1 : index <= 40 ? 3 : 4
    if (index === 30) node.log.appendMembership({ index, term }, Buffer.from('three voters'))
    else node.log.append({ index, term }, draftOf(index, 100 + (index % 7) * 40, 1 + (index % 3)))
    if (index % 5 === 0) await node.log.stable()
  }
  await node.log.stable()
  node.clock.advance(500)
  for (let i = 0; i < 200; i++) await Promise.resolve()
  const frames = await readAll(node.log)
  if (stop === 'clean') await closeNode(node)
  else disk.kill()
  return { disk, frames }
}

/** What every reader gets: the frame that was written, or `STORE_ROT`. */
async function checkReads(log: CommitLog, frames: readonly Buffer[]): Promise<number> {
  let damaged = 0
  for (const frame of frames) {
    const index = frameIndex(frame, 0)
    const read = await outcome(async () => log.read(index, index, 1))
    if (read.code === undefined)
      expect(Buffer.concat(read.value?.bytes ?? []).equals(frame), `entry ${index}`).toBe(true)
    else expect(read.code).toBe('STORE_ROT')
    const at = await outcome(async () => log.frameAt(frameOffset(frame, 0) + frame.length - 1))
    expect(at.code).toBe(read.code)
    if (at.code === undefined) expect(at.value?.equals(frame), `frame of entry ${index}`).toBe(true)
    else damaged++
  }
  return damaged
}

async function outcome<T>(work: () => Promise<T>): Promise<{ value?: T; code?: string }> {
  try {
    return { value: await work() }
  } catch (error) {
    return { code: errorCode(error) ?? 'none' }
  }
}

async function repairAll(log: CommitLog, frames: readonly Buffer[]): Promise<void> {
  for (let tries = 0; log.badRanges().length > 0 && tries < 100; tries++) {
    const range = log.badRanges()[0]
    if (range === undefined) break
    // A peer sends as much as it likes.
    const last = Math.min(range.last, range.first + 2)
    await log.repairEntries({ first: range.first, last, bytes: frames.slice(range.first - 1, last) })
  }
  expect(log.badRanges()).toEqual([])
}

function flipSomewhere(random: Random, times: number): (disk: FaultyFileSystem) => void {
  return (damaged) => {
    const paths = damaged.paths().filter((path) => !path.endsWith('lock'))
    for (let i = 0; i < times; i++) {
      const path = paths[random.integer(0, paths.length - 1)] ?? ''
      const length = damaged.content(path).length
      if (length > 0) damaged.flip(path, random.integer(0, length - 1), random.integer(0, 7))
    }
  }
}

describe.each(['clean', 'killed'] as const)('after a %s stop', (stop) => {
  let disk: FaultyFileSystem
  let frames: Buffer[]

  beforeAll(async () => {
    ;({ disk, frames } = await grown(stop))
  })

  async function openDamaged(
    harm: (disk: FaultyFileSystem) => void,
  ): Promise<{ node: OpenedNode; disk: FaultyFileSystem }> {
    const damaged = disk.copy()
    damaged.kill()
    harm(damaged)
    return { node: await openNode(damaged), disk: damaged }
  }

  test.each(Array.from({ length: 150 }, (_, i) => i))(
    'one flipped bit anywhere gives no wrong byte and loses no entry (seed %i)',
    async (seed) => {
      const { node, disk: damaged } = await openDamaged(flipSomewhere(seededRandom(seed), 1))
      expect(node.log.end.index).toBe(ENTRIES)
      expect(node.log.state().runs.map((run) => [run.term, run.first, run.last])).toEqual([
        [1, 1, 20],
        [3, 21, 40],
        [4, 41, 60],
      ])
      expect(node.log.state().memberships.map(({ index, bytes }) => [index, bytes.toString()])).toEqual([
        [30, 'three voters'],
      ])
      await checkReads(node.log, frames)
      await repairAll(node.log, frames)
      expect((await readAll(node.log)).map((frame, i) => frame.equals(frames[i] ?? Buffer.alloc(0)))).not.toContain(
        false,
      )
      // The repair is on the disk, not in memory.
      damaged.crash(seededRandom(1), 0)
      const again = await openNode(damaged)
      expect(await checkReads(again.log, frames)).toBe(0)
    },
  )

  test.each(Array.from({ length: 80 }, (_, i) => i))(
    'many flipped bits give no wrong byte; a log that is opened is whole (seed %i)',
    async (seed) => {
      const random = seededRandom(1000 + seed)
      const opened = await outcome(() => openDamaged(flipSomewhere(random, random.integer(2, 30))))
      if (opened.value === undefined) {
        expect(opened.code).toMatch(/^STORE_/)
        return
      }
      const { log } = opened.value.node
      expect(log.end.index).toBe(ENTRIES)
      await checkReads(log, frames)
      await repairAll(log, frames)
      expect(await checkReads(log, frames)).toBe(0)
    },
  )

  test('zeroed, lost and swapped blocks are found as flipped bits are', async () => {
    const name = disk.paths().filter((path) => /\d{20}$/.test(path))[1] ?? ''
    const { node } = await openDamaged((damaged) => {
      const content = damaged.content(name)
      content.fill(0, 700, 1500)
      content.copy(content, 2000, 300, 900)
      damaged.put(name, content)
    })
    const damaged = await checkReads(node.log, frames)
    expect(damaged).toBeGreaterThan(2)
    await repairAll(node.log, frames)
    expect(await checkReads(node.log, frames)).toBe(0)
  })

  test('a place that the medium does not give back is fetched from a peer as well', async () => {
    const { node, disk: damaged } = await openDamaged(() => undefined)
    damaged.fail('pread', 'EIO', { path: /\/0{20}$/, times: 1 })
    expect((await outcome(async () => node.log.read(3, 3, 1))).code).toBe('STORE_ROT')
    expect(node.rot).toHaveLength(1)
    await repairAll(node.log, frames)
    expect(await checkReads(node.log, frames)).toBe(0)
  })
})

async function damaged(): Promise<{ log: CommitLog; frames: Buffer[]; first: number; last: number }> {
  const { disk, frames } = await grown('clean')
  const frame = frames[3] ?? Buffer.alloc(0)
  disk.flip('data/commitlog/00000000000000000000', frameOffset(frame, 0) + 60, 1)
  const { log } = await openNode(disk)
  await checkReads(log, frames)
  const range = log.badRanges()[0]
  return { log, frames, first: range?.first ?? 0, last: range?.last ?? 0 }
}

describe('a repair', () => {
  test('takes the very entries that are damaged and no others', async () => {
    const { log, frames, first, last } = await damaged()
    expect([first, last]).toEqual([4, 4])
    const refuse = async (at: number, bytes: Buffer): Promise<void> => {
      const { code } = await outcome(() => log.repairEntries({ first: at, last: at, bytes: [bytes] }))
      expect(code).toBe('RAFT_BAD_ENTRIES')
    }
    await refuse(3, frames[2] ?? Buffer.alloc(0))
    await refuse(4, frames[4] ?? Buffer.alloc(0))
    await refuse(4, Buffer.alloc(0))
    const flipped = Buffer.from(frames[3] ?? [])
    flipped[70] = (flipped[70] ?? 0) ^ 1
    await refuse(4, flipped)
    // Sound by itself, of the same entry, length and place, and yet not the bytes that the next frame stands on.
    const before = positionAfter(frames[2] ?? Buffer.alloc(0), 0)
    const [other] = framesAfter(before, 1, [draftOf(99, 100 + 4 * 40, 2)])
    expect(other?.length).toBe(frames[3]?.length)
    await refuse(4, other ?? Buffer.alloc(0))
    expect(log.badRanges()).toHaveLength(1)
    await log.repairEntries({ first: 4, last: 4, bytes: [frames[3] ?? Buffer.alloc(0)] })
    expect(log.badRanges()).toHaveLength(0)
    expect(await checkReads(log, frames)).toBe(0)
  })
})

describe('a log is cut behind an entry', () => {
  test('whatever bit of the way to it rotted: the frame behind it tells where it ends', async () => {
    const { disk, frames } = await grown('clean')
    const random = seededRandom(11)
    for (let round = 0; round < 120; round++) {
      const rotten = disk.copy()
      const index = random.integer(1, ENTRIES - 2)
      const kept = frames[index - 1] ?? Buffer.alloc(0)
      const node = await openNode(rotten)
      const end = frameOffset(kept, 0) + kept.length
      const { base } = segmentOf(rotten, frameOffset(kept, 0))
      rot(rotten, random.integer(base, end - 1))
      expect(node.log.truncateAfter(index)).toBe(true)
      const { timestampMs, ...place } = node.log.end
      const { timestampMs: written, ...wanted } = positionAfter(kept, 0)
      expect(place).toEqual(wanted)
      expect(timestampMs).toBeGreaterThanOrEqual(written)
      node.log.append({ index: index + 1, term: 9 }, draftOf(index + 1, 50))
      await node.log.stable()
      expect(node.failures).toEqual([])
      const again = Buffer.concat((await node.log.read(index + 1, index + 1, 1))?.bytes ?? [])
      expect([frameIndex(again, 0), frameOffset(again, 0)]).toEqual([index + 1, end])
    }
  })

  test('where the frame behind it rotted as well, once the leader it is cut for has repaired the way', async () => {
    const { disk, frames } = await grown('clean')
    const random = seededRandom(12)
    for (let round = 0; round < 60; round++) {
      const rotten = disk.copy()
      const node = await openNode(rotten)
      const index = random.integer(1, ENTRIES - 2)
      const kept = frames[index - 1] ?? Buffer.alloc(0)
      const leader = [...frames.slice(0, index), ...framesAfter(positionAfter(kept, 0), 9, [draftOf(index, 60)])]
      for (const frame of frames.slice(random.integer(0, index - 1), index + random.integer(1, 2))) {
        rot(rotten, frameOffset(frame, 0) + random.integer(0, frame.length - 1))
      }
      // Where the cut begins a segment, or is in memory, nothing has to be repaired for it.
      for (let tries = 0; !node.log.truncateAfter(index); tries++) {
        expect(node.log.end.index).toBe(ENTRIES)
        expect(tries, `entry ${index}`).toBeLessThan(20)
        await vi.waitUntil(() => node.log.badRanges().length > 0, { interval: 1 })
        const range = node.log.badRanges()[0] ?? { first: 0, last: 0 }
        const last = Math.min(range.last, leader.length)
        await node.log.repairEntries({ first: range.first, last, bytes: leader.slice(range.first - 1, last) })
      }
      await node.log.stable()
      expect(node.log.end.index).toBe(index)
      // What rotted beside the way is found by who reads it, and none of it is gone.
      const shared = frames.slice(0, index)
      await checkReads(node.log, shared)
      await repairAll(node.log, shared)
      expect(await checkReads(node.log, shared)).toBe(0)
    }
  })
})

test('a log is cut behind an entry that was read before the way to it rotted', async () => {
  const { disk, frames } = await grown('clean')
  const node = await openNode(disk)
  await node.log.read(2, 2, 1)
  for (const frame of frames.slice(0, 8)) rot(disk, frameOffset(frame, 0) + 1)
  expect(node.log.truncateAfter(2)).toBe(true)
  expect(node.log.end.offset).toBe(frameOffset(frames[2] ?? Buffer.alloc(0), 0))
})

/** The file of the CommitLog that holds byte `offset`, and the offset that it begins with. */
function segmentOf(disk: FaultyFileSystem, offset: number): { readonly path: string; readonly base: number } {
  return disk
    .paths()
    .map((path) => ({ path, base: Number(/commitlog\/(\d{20})$/.exec(path)?.[1] ?? Infinity) }))
    .filter(({ base }) => base <= offset)
    .reduce((a, b) => (a.base > b.base ? a : b))
}

/** Flips a bit of byte `offset` of the CommitLog. */
function rot(disk: FaultyFileSystem, offset: number): void {
  const { path, base } = segmentOf(disk, offset)
  disk.flip(path, offset - base, 1)
}
