/**
 * Replacing a log that is behind its leader's start by an empty one that begins there. Three steps, each of which may be
 * done again:
 *
 *   1. `stage`: the state that the new log stands on (tables, queue bounds) is durable, beside the old one.
 *   2. The log start says "resetting". From here on the old log is void.
 *   3. `install`: the staged state takes its place; the old segments go; the new segment is made; "resetting" is taken
 *      back. A crash before that does the whole step again at the next start.
 */
import type { BadRanges } from './bad-ranges.ts'
import type { GroupCommit } from './group-commit.ts'
import type { LogFiles } from './log-files.ts'
import type { MembershipBytes, LogOutline } from './log-outline.ts'
import type { LogPosition } from './log-position.ts'
import type { LogReader } from './log-reader.ts'
import { type LogSetupNeeds, beginLog } from './log-setup.ts'
import type { LogUpkeep } from './log-upkeep.ts'
import { Segment } from './segment.ts'
import type { SegmentList } from './segment-list.ts'
import type { TailCache } from './tail-cache.ts'

export interface ResetTo {
  readonly start: LogPosition
  /** The membership that the first entry will stand on. */
  readonly membership: MembershipBytes | undefined
  readonly stage: () => Promise<void>
  readonly install: () => Promise<void>
}

export interface LogResetNeeds {
  readonly setup: LogSetupNeeds
  readonly outline: LogOutline
  readonly segments: SegmentList
  readonly tail: TailCache
  readonly bad: BadRanges
  readonly reader: LogReader
  readonly commit: GroupCommit
  readonly files: LogFiles
  readonly upkeep: LogUpkeep
}

export class LogReset {
  readonly #need: LogResetNeeds

  constructor(need: LogResetNeeds) {
    this.#need = need
  }

  async run({ start, membership, stage, install }: ResetTo): Promise<void> {
    const { setup, outline, segments, tail, bad, reader, commit, files, upkeep } = this.#need
    await commit.flush()
    await upkeep.settle()
    await stage()
    await setup.startFile.save({ position: start, membership, isResetting: true })
    await install()
    const file = await beginLog(setup, { position: start, membership, isResetting: false })
    await files.reset(start.offset, file)
    outline.reset(start, membership)
    segments.replace(new Segment(start))
    tail.clear()
    bad.clear()
    reader.clear()
    commit.reset(start)
    upkeep.reset(start.offset)
  }
}
