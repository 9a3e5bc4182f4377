/** What the derived store needs of the CommitLog. */
import { frameOffset } from '../message/entry-frame.ts'

/** Frames of the log: sound ones, verified by whoever hands them out. */
export interface FrameSource {
  /** The frame that holds the byte at `offset`, if it is in memory. Called for every message that is pulled. */
  frameInMemory(offset: number): Buffer | undefined
  /**
   * The same from wherever it is; undefined when the log does not hold it (any more). Rejects with `STORE_ROT` when it is
   * damaged. Frames behind it are likely in memory afterwards.
   */
  frameAt(offset: number): Promise<Buffer | undefined>
}

export interface LogSource extends FrameSource {
  /** Where the first frame begins that is still in the log. */
  readonly startOffset: number
  /** Index of the entry before that frame. */
  readonly startIndex: number
  /** Where the last frame ends. */
  readonly endOffset: number
  /** Resolves when the log is on disk up to `offset`, in every flush mode: nothing derived may outlive its source. */
  flushedThrough(offset: number): Promise<void>
}

/** Calls `visit` with frames from the one that holds `offset` on, until it says false or the log ends. */
export async function scanFramesFrom(
  log: FrameSource,
  offset: number,
  visit: (frame: Buffer, offset: number) => boolean,
): Promise<void> {
  let at = offset
  for (;;) {
    const frame = log.frameInMemory(at) ?? (await log.frameAt(at))
    if (frame === undefined || !visit(frame, at)) return
    at = frameOffset(frame, 0) + frame.length
  }
}
