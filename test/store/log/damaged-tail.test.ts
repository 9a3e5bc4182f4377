import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/lib/prng.ts'
import { frameOffset } from '../../../src/message/entry-frame.ts'
import type { TailDamage } from '../../../src/store/tail-damage.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { draftOf, openNode, readAll } from './log-support.ts'

const SECTOR_BYTES = 512
const SEGMENT = 'data/commitlog/00000000000000000000'

/** A process that died before the mark followed its last flushes. */
async function killed(): Promise<{ disk: FaultyFileSystem; frames: Buffer[] }> {
  const disk = new FaultyFileSystem()
  const node = await openNode(disk, { options: { indexEveryBytes: 100_000 } })
  for (let index = 1; index <= 4; index++) node.log.append({ index, term: 1 }, draftOf(index, 300))
  await node.log.stable()
  const frames = await readAll(node.log)
  disk.kill()
  return { disk, frames }
}

interface Told {
  readonly damage: TailDamage | undefined
  /** How long the file was then. */
  readonly length: number | undefined
  readonly lastIndex: number
}

/** What the log told of its end. */
async function toldAt(disk: FaultyFileSystem): Promise<Told> {
  let told: { readonly damage: TailDamage | undefined; readonly length: number | undefined } = nothing
  const node = await openNode(disk, {
    onDamagedTail(damage) {
      told = { damage, length: disk.content(SEGMENT).length }
      return Promise.resolve()
    },
  })
  return { ...told, lastIndex: node.log.end.index }
}

const nothing = { damage: undefined, length: undefined } as const

describe('behind the mark', () => {
  test.each([
    ['the last frame', 4, 60],
    ['the head of the last frame', 4, 1],
    ['the length of the last frame', 4, 10],
    ['a frame with a sound one behind it', 2, 60],
    ['the length of a frame with a sound one behind it', 3, 8],
  ] as const)('damage in %s is told before the end is cut off', async (_what, index, byte) => {
    const { disk, frames } = await killed()
    const { length } = disk.content(SEGMENT)
    disk.flip(SEGMENT, frameOffset(frames[index - 1] ?? Buffer.alloc(0), 0) + byte, 0)
    expect(await toldAt(disk)).toEqual({ damage: 'rot', length, lastIndex: index - 1 })
  })

  test('a write that was cut short anywhere is not taken for damage', async () => {
    const { disk, frames } = await killed()
    const whole = disk.content(SEGMENT)
    const last = frameOffset(frames[3] ?? Buffer.alloc(0), 0)
    for (let length = last; length < whole.length; length++) {
      const { disk: other } = await killed()
      other.put(SEGMENT, Buffer.from(whole.subarray(0, length)))
      expect(await toldAt(other), `${length} bytes`).toEqual({ ...nothing, lastIndex: 3 })
    }
  })

  test('whatever sectors of a write a loss of power kept, it is not taken for rot', async () => {
    const seen = new Set<string>()
    for (let seed = 1; seed <= 300; seed++) {
      const random = seededRandom(seed)
      const { disk, frames } = await killed()
      const whole = disk.content(SEGMENT)
      const from = frameOffset(frames[random.integer(1, 3)] ?? Buffer.alloc(0), 0)
      const torn = withoutSectors(whole, from, () => random.next() < 0.5)
      disk.put(SEGMENT, torn)
      const { damage } = await toldAt(disk)
      expect(damage, `seed ${seed}`).not.toBe('rot')
      seen.add(String(damage))
    }
    expect([...seen].sort()).toEqual(['undefined', 'unwritten'])
  })
})

/** Of a write at `from` some sectors are missing: as zeros, or from the end of the file. */
function withoutSectors(whole: Buffer, from: number, isLost: () => boolean): Buffer {
  const torn = Buffer.from(whole)
  let length = from
  for (let at = from; at < whole.length; ) {
    const next = Math.min(whole.length, (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES)
    if (isLost()) torn.fill(0, at, next)
    else length = next
    at = next
  }
  return torn.subarray(0, length)
}
