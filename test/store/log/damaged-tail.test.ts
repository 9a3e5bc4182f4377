import { describe, expect, test } from 'vitest'
import { frameOffset } from '../../../src/message/entry-frame.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { draftOf, openNode, readAll } from './log-support.ts'

const SEGMENT = 'data/commitlog/00000000000000000000'

/** A process that died before the mark followed its last flushes. */
async function killed(): Promise<{ disk: FaultyFileSystem; frames: Buffer[] }> {
  const disk = new FaultyFileSystem()
  const node = await openNode(disk)
  for (let index = 1; index <= 4; index++) node.log.append({ index, term: 1 }, draftOf(index, 100))
  await node.log.stable()
  const frames = await readAll(node.log)
  disk.kill()
  return { disk, frames }
}

/** How long the file was when the log told of damage at its end; undefined: it did not. */
async function toldAt(disk: FaultyFileSystem): Promise<{ told: number | undefined; lastIndex: number }> {
  let told: number | undefined
  const node = await openNode(disk, {
    onDamagedTail() {
      told = disk.content(SEGMENT).length
      return Promise.resolve()
    },
  })
  return { told, lastIndex: node.log.end.index }
}

describe('behind the mark', () => {
  test.each([
    ['the last frame', 4, 60],
    ['the head of the last frame', 4, 1],
    ['a frame with a sound one behind it', 2, 60],
    ['the length of a frame with a sound one behind it', 3, 8],
  ] as const)('damage in %s is told before the end is cut off', async (_what, index, byte) => {
    const { disk, frames } = await killed()
    const { length } = disk.content(SEGMENT)
    disk.flip(SEGMENT, frameOffset(frames[index - 1] ?? Buffer.alloc(0), 0) + byte, 0)
    expect(await toldAt(disk)).toEqual({ told: length, lastIndex: index - 1 })
  })

  test('a write that was cut short anywhere is not taken for damage', async () => {
    const { disk, frames } = await killed()
    const whole = disk.content(SEGMENT)
    const last = frameOffset(frames[3] ?? Buffer.alloc(0), 0)
    for (let length = last; length < whole.length; length++) {
      const { disk: other } = await killed()
      other.put(SEGMENT, Buffer.from(whole.subarray(0, length)))
      expect(await toldAt(other), `${length} bytes`).toEqual({ told: undefined, lastIndex: 3 })
    }
  })
})
