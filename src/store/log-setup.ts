/** Making a log's files: a first time, and again when a reset replaces everything. */
import type { DescriptorPool } from './descriptor-pool.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import { beginSegment } from './log-files.ts'
import type { LogStart, LogStartFile } from './log-start.ts'
import { listSegments, removeSegment } from './segment-files.ts'
import type { MarkContent } from './sync-mark.ts'

export interface LogSetupNeeds {
  readonly fileSystem: FileSystem
  /** The folder of the segments. */
  readonly folder: string
  readonly descriptors: DescriptorPool
  readonly startFile: LogStartFile
  readonly setMark: (content: MarkContent) => Promise<void>
}

/** An empty log that begins at `start`, in place of whatever there is. Done again after a crash, it ends the same. */
export async function beginLog(need: LogSetupNeeds, start: LogStart): Promise<OpenFile> {
  const { fileSystem, folder, descriptors, startFile, setMark } = need
  await startFile.save({ ...start, isResetting: true })
  for (const offset of await listSegments({ fileSystem, folder, startOffset: 0 })) {
    await removeSegment(fileSystem, folder, offset)
    descriptors.forget(offset)
  }
  await fileSystem.fsyncFolder(folder)
  await setMark({
    position: start.position,
    runs: [],
    memberships: start.membership === undefined ? [] : [start.membership],
  })
  const file = await beginSegment(need, start.position.offset)
  await startFile.save({ ...start, isResetting: false })
  return file
}
