import { errorCode } from '../lib/errors.ts'
import type { DescriptorPool } from './descriptor-pool.ts'
import { findFrame, scanFrames } from './frame-scan.ts'
import type { OpenFile } from './file-system.ts'
import type { LogPosition } from './log-position.ts'

export interface FramesBehind {
  readonly frames: readonly Buffer[]
  /** Bytes of the log between them that are no sound frames, or that the medium does not give back; ascending. */
  readonly damaged: readonly { readonly offset: number; readonly end: number }[]
}

/** The frames behind `to` as they lie on disk, in the segments that begin at `segments` and end behind it. */
export async function framesBehind(
  descriptors: Pick<DescriptorPool, 'use'>,
  to: LogPosition,
  segments: readonly number[],
): Promise<FramesBehind> {
  const walk = new Walk(to)
  for (const base of segments) await descriptors.use(base, (file) => walk.through(file, base))
  return walk
}

class Walk implements FramesBehind {
  readonly frames: Buffer[] = []
  readonly damaged: { readonly offset: number; readonly end: number }[] = []
  #position: LogPosition
  /** False behind damage: what the next frame stands on is not known. */
  #isChained = true

  constructor(from: LogPosition) {
    this.#position = from
  }

  async through(file: OpenFile, base: number): Promise<void> {
    const until = base + (await file.size())
    while (this.#position.offset < until) {
      const next = await this.#next(file, base, until)
      const { offset } = this.#position
      const end = next?.offset ?? until
      if (end > offset) this.damaged.push({ offset, end })
      this.#position = { ...this.#position, offset: end, index: (next?.index ?? 0) - 1 }
      this.#isChained = false
    }
  }

  /** Takes frames up to a fault; resolves with the next that is sound, as far as the medium gives it back. */
  async #next(file: OpenFile, base: number, until: number): Promise<{ offset: number; index: number } | undefined> {
    try {
      await scanFrames({
        file,
        base,
        from: { position: this.#position, isChained: this.#isChained },
        until,
        onFrame: (frame, end) => {
          this.#position = end
          this.#isChained = true
          return this.frames.push(frame) > 0
        },
      })
      return await findFrame(file, base, this.#position.offset, until)
    } catch (error) {
      if (errorCode(error) !== 'EIO') throw error
      return undefined
    }
  }
}
