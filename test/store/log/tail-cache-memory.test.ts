import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { FrameKind, FRAME_HEADER_BYTES, writePlainEntry } from '../../../src/message/entry-frame.ts'
import { TailCache } from '../../../src/store/tail-cache.ts'

setFlagsFromString('--expose-gc')
const collect: unknown = runInNewContext('gc')

function frame(index: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(FRAME_HEADER_BYTES)
  const place = {
    index,
    term: 1,
    offset: (index - 1) * FRAME_HEADER_BYTES,
    timestampMs: 1,
    previousCrc: 0,
    endsSegment: false,
  }
  writePlainEntry(FrameKind.empty, undefined, bytes, 0, place)
  return bytes
}

test('a frame that the tail cache let go is not held in memory until many more have come', async () => {
  const cache = new TailCache(FRAME_HEADER_BYTES * 20)
  const held: WeakRef<Buffer>[] = []
  for (let index = 1; index <= 100; index++) {
    const bytes = frame(index)
    held.push(new WeakRef(bytes))
    cache.push(bytes)
    cache.evict(index * FRAME_HEADER_BYTES)
  }
  // References die at the end of a turn at the earliest.
  await new Promise((resolve) => setImmediate(resolve))
  if (typeof collect === 'function') collect()
  expect(held.filter((reference) => reference.deref() !== undefined)).toHaveLength(cache.frameCount)
})
