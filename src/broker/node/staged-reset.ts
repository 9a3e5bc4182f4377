/**
 * The part of a reset that leaves the log as it is: what the leader sent is staged, and what this node may have
 * acknowledged is set aside. What fails here and passes is an answer to the leader, which begins again.
 */
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { raftErrors } from '../../raft/errors.ts'
import type { FileSystem } from '../../store/file-system.ts'
import { LACK_OF_ROOM } from '../../store/lack-of-room.ts'
import { stageResetState, type ResetStart } from '../../store/reset-state.ts'

export interface StagedResetNeeds {
  readonly fileSystem: FileSystem
  readonly path: string
  /** Done once what is staged is sound. */
  readonly setAside: () => Promise<void>
}

/** Rejects with `RAFT_BAD_ENTRIES` for bytes that are no state, with `RAFT_LOG_FULL` where the disk has no room. */
export async function stageReset(need: StagedResetNeeds, chunks: AsyncIterable<Uint8Array>): Promise<ResetStart> {
  try {
    const start = await stageResetState(need.fileSystem, need.path, chunks)
    await need.setAside()
    return start
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'STORE_RESET_DAMAGED') throw raftErrors.create('RAFT_BAD_ENTRIES', errorMessage(error), error)
    if (LACK_OF_ROOM.has(code)) throw raftErrors.create('RAFT_LOG_FULL', errorMessage(error), error)
    throw error
  }
}
