import { beforeEach, expect, test } from 'vitest'
import { frameIndex, frameOffset } from '../../../src/message/entry-frame.ts'
import type { FramesBehind } from '../../../src/store/frames-behind.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { closeNode, draftOf, openNode, readAll } from './log-support.ts'

const ENTRIES = 40
/** The first entry that is cut. */
const FIRST = 4

let disk: FaultyFileSystem
let frames: Buffer[]
let segments: string[]

beforeEach(async () => {
  disk = new FaultyFileSystem()
  const node = await openNode(disk)
  for (let index = 1; index <= ENTRIES; index++) node.log.append({ index, term: 1 }, draftOf(index, 200))
  await node.log.stable()
  frames = await readAll(node.log)
  await closeNode(node)
  segments = disk.paths().filter((path) => /commitlog\/\d{20}$/.test(path))
})

const offsetOf = (index: number): number => frameOffset(frames[index - 1] ?? Buffer.alloc(0), 0)

/** The segment that holds entry `index`: offset of its first byte, and its file. */
function segmentOf(index: number): { readonly start: number; readonly path: string } {
  const path = segments.filter((one) => Number(one.slice(-20)) <= offsetOf(index)).at(-1) ?? ''
  return { start: Number(path.slice(-20)), path }
}

/** What is told before the log is cut behind an entry; `harm` comes once it is open. */
async function cut(behind: number, harm: () => void): Promise<FramesBehind> {
  const found: FramesBehind[] = []
  const node = await openNode(disk, {
    beforeCut: (_to, behindIt) => {
      found.push(behindIt)
      return Promise.resolve()
    },
  })
  harm()
  node.log.truncateAfter(behind)
  await node.log.stable()
  expect(node.failures).toEqual([])
  return found[0] ?? { frames: [], damaged: [] }
}

const indexesOf = (found: FramesBehind): number[] => found.frames.map((frame) => frameIndex(frame, 0))
const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, n) => first + n)

test('what is cut is told whole, over all segments', async () => {
  const found = await cut(FIRST - 1, () => {})
  expect(segmentOf(FIRST).start).toBeLessThan(segmentOf(ENTRIES).start)
  expect(indexesOf(found)).toEqual(range(FIRST, ENTRIES))
  expect(found.damaged).toEqual([])
})

test('rot in what is cut hides nothing behind it, and its bytes are told', async () => {
  const lastOfSegment = range(FIRST, ENTRIES).findLast((index) => segmentOf(index).path === segmentOf(FIRST).path) ?? 0
  const rotten = [6, 7, lastOfSegment, ENTRIES]
  const found = await cut(FIRST - 1, () => {
    for (const index of rotten) {
      const { start, path } = segmentOf(index)
      disk.flip(path, offsetOf(index) - start + 200, 3)
    }
  })
  expect(indexesOf(found)).toEqual(range(FIRST, ENTRIES).filter((index) => !rotten.includes(index)))
  expect(found.damaged).toEqual([
    { offset: offsetOf(6), end: offsetOf(8) },
    { offset: offsetOf(lastOfSegment), end: offsetOf(lastOfSegment + 1) },
    { offset: offsetOf(ENTRIES), end: offsetOf(ENTRIES) + (frames[ENTRIES - 1]?.length ?? 0) },
  ])
})

test('a segment that the medium does not give back keeps nothing of the others from being told', async () => {
  const { path } = segmentOf(FIRST)
  let reads = 0
  const found = await cut(FIRST - 1, () => {
    disk.before = (operation, at) => {
      // The first tells the length.
      if (operation === 'pread' && at === path && ++reads === 2) disk.fail('pread', 'EIO')
      return undefined
    }
  })
  expect(indexesOf(found)).toEqual(range(FIRST, ENTRIES).filter((index) => segmentOf(index).path !== path))
  expect(found.damaged.map(({ offset }) => offset)).toEqual([offsetOf(FIRST)])
})
