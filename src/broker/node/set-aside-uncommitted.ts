/**
 * A reset drops the whole log: what this node may have acknowledged and does not know to be committed is kept first. What
 * of it has rotted nobody can keep: that is said and counted, and does not hold up the reset, whose state is committed.
 */
import { errorCode } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { frameOffset } from '../../message/entry-frame.ts'
import type { CommitLog } from '../../store/commit-log.ts'
import type { EarlyFile } from '../../store/early-file.ts'
import { framesOf, type LostMessages } from '../../store/lost-messages.ts'

export interface SetAsideNeeds {
  readonly log: Pick<CommitLog, 'state' | 'read' | 'badRanges'>
  readonly early: Pick<EarlyFile, 'value' | 'rotted'>
  readonly lost: Pick<LostMessages, 'setAside'>
  readonly logger: Log
}

const READ_BYTES = 1024 * 1024

/** Keeps the messages above entry `appliedIndex`, durably, that are of the term of early acknowledgements. */
export async function setAsideUncommitted(need: SetAsideNeeds, appliedIndex: number): Promise<void> {
  const { log, early, lost } = need
  const run = log.state().runs.find(({ term }) => term === early.value.term)
  if (run === undefined) return
  const frames: Buffer[] = []
  for (let next = Math.max(run.first, appliedIndex + 1); next <= run.last; ) {
    const found = await readFrom(need, next, run.last)
    if (found === undefined) break
    for (const bytes of found.bytes) frames.push(...framesOf(Buffer.from(bytes)))
    next = found.last + 1
  }
  const [first] = frames
  if (first !== undefined) await lost.setAside(frameOffset(first, 0), frames, early.value)
}

interface Found {
  readonly last: number
  readonly bytes: readonly Uint8Array[]
}

/** Entries from `first` on; without bytes where they have rotted. Undefined when the log does not hold them. */
async function readFrom(
  { log, early, logger }: SetAsideNeeds,
  first: number,
  last: number,
): Promise<Found | undefined> {
  try {
    return await log.read(first, last, READ_BYTES)
  } catch (error) {
    if (errorCode(error) !== 'STORE_ROT') throw error
    const range = log.badRanges().find((bad) => first >= bad.first && first <= bad.last)
    // A peer's bytes took the place of the damaged ones meanwhile.
    if (range === undefined) return { last: first - 1, bytes: [] }
    const rottenLast = Math.min(range.last, last)
    logger.warn(
      { term: early.value.term, first, last: rottenLast, offset: range.offset, end: range.end },
      `entries ${first} to ${rottenLast}, which this node may have acknowledged, have rotted: they cannot be set aside before the log is replaced`,
    )
    await early.rotted(range.offset, range.end)
    return { last: rottenLast, bytes: [] }
  }
}
