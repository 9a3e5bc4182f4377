/**
 * Where queues begin at the log's start, in a file of its own, written before the log lets go of what lies before. When
 * the checkpoint cannot be used, queues are derived again from the start of the log, and this alone knows of a queue all
 * of whose messages are gone where it goes on: nothing may be stored twice under one queueOffset.
 *
 * The format is that of a reset without tables (`reset-state.ts`).
 */
import type { FileSystem } from './file-system.ts'
import { LOG_ORIGIN } from './log-position.ts'
import { encodeResetState, readResetState, stageResetState, type QueueStart } from './reset-state.ts'

export interface QueueStarts {
  readonly logStart: number
  readonly queues: readonly QueueStart[]
}

const NAME = 'queue-starts'

/** Replaces the file, durably. The rows are read in this turn. */
export async function saveQueueStarts(
  fileSystem: FileSystem,
  folder: string,
  logStart: number,
  queues: Iterable<QueueStart>,
): Promise<void> {
  const parts = [...encodeResetState({ position: LOG_ORIGIN, logStart, tablesIndex: 0 }, queues, [])]
  await stageResetState(fileSystem, `${folder}/${NAME}`, parts)
}

/** Undefined when there is none. Throws `STORE_RESET_DAMAGED` when it cannot be read. */
export async function loadQueueStarts(fileSystem: FileSystem, folder: string): Promise<QueueStarts | undefined> {
  if ((await fileSystem.stat(`${folder}/${NAME}`)) === undefined) return undefined
  let logStart = 0
  const queues: QueueStart[] = []
  for await (const part of readResetState(fileSystem, `${folder}/${NAME}`)) {
    if (part.kind === 'start') logStart = part.start.logStart
    if (part.kind === 'queues') queues.push(...part.queues)
  }
  return { logStart, queues }
}
