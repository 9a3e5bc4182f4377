import type { DescriptorPool } from './descriptor-pool.ts'
import { scanFrames } from './frame-scan.ts'
import type { LogPosition } from './log-position.ts'

/** The frames behind `to` as they lie on disk, in the segments that begin at `segments` and end behind it. */
export async function framesBehind(
  descriptors: Pick<DescriptorPool, 'use'>,
  to: LogPosition,
  segments: readonly number[],
): Promise<readonly Buffer[]> {
  const frames: Buffer[] = []
  let position = to
  for (const base of segments) {
    if (base > position.offset) break
    await descriptors.use(base, async (file) => {
      const until = base + (await file.size())
      const end = await scanFrames({
        file,
        base,
        from: { position, isChained: true },
        until,
        onFrame: (frame) => frames.push(frame) > 0,
      })
      position = end.position
    })
  }
  return frames
}
