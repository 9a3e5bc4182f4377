/** Rot of a disk: bits that flip, and writes that land where another belongs, in the CommitLog and what is derived. */
import type { Random } from '../../src/lib/prng.ts'
import type { Disk } from './disk.ts'

const MISDIRECTED_BYTES = 512

/** Damages one place of one file. What Raft votes with is spared: both copies of it at once are more than a disk may lose. */
export function rot(disk: Disk, random: Random): void {
  const files = [...disk.names].filter(([path, { size }]) => /\/(commitlog|derived)\//.test(path) && size > 0)
  const [, inode] = files[random.integer(0, files.length - 1)] ?? []
  if (inode === undefined) return
  disk.isRotten = true
  const position = random.integer(0, inode.size - 1)
  if (random.next() < 0.5) {
    disk.counts.add('bit flip')
    inode.flip(position, random.integer(0, 7))
    return
  }
  disk.counts.add('misdirected write')
  const from = random.integer(0, inode.size - 1)
  inode.overwrite(position, Buffer.from(inode.bytes.subarray(from, from + MISDIRECTED_BYTES)))
}
