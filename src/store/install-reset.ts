import type { FileSystem } from './file-system.ts'
import { saveQueueStarts } from './queue-starts.ts'
import { readResetState, type QueueStart, type ResetStart } from './reset-state.ts'
import type { TableStore } from './table-store.ts'

/**
 * Puts a staged state (`stageResetState`) in the place of everything derived: tables become its tables, queues and
 * indexes are derived anew from the log that will begin at its start. Done again after a crash, it gives the same; the
 * staged file stays until the caller knows that the log's own reset is done.
 */
export async function installReset(need: {
  readonly fileSystem: FileSystem
  /** The staged file. */
  readonly path: string
  /** The message store's folder. */
  readonly folder: string
  readonly tables: TableStore
}): Promise<ResetStart> {
  const { fileSystem, path, folder, tables } = need
  let start: ResetStart | undefined
  const queues: QueueStart[] = []
  for await (const part of readResetState(fileSystem, path)) {
    if (part.kind === 'start') start = part.start
    if (part.kind === 'queues') queues.push(...part.queues)
  }
  // `readResetState` gives a beginning or throws.
  if (start === undefined) throw new RangeError('a state without a beginning')
  await tables.replace(start.tablesIndex, rowsOf(fileSystem, path))
  await fileSystem.mkdir(folder)
  await fileSystem.unlink(`${folder}/checkpoint`)
  await fileSystem.fsyncFolder(folder)
  await fileSystem.removeFolder(`${folder}/pages`)
  await fileSystem.removeFolder(`${folder}/keys`)
  await saveQueueStarts(fileSystem, folder, start.logStart, queues)
  return start
}

async function* rowsOf(
  fileSystem: FileSystem,
  path: string,
): AsyncGenerator<readonly [table: string, key: string, value: unknown]> {
  for await (const part of readResetState(fileSystem, path)) {
    if (part.kind !== 'rows') continue
    for (const [key, value] of part.rows) yield [part.table, key, value]
  }
}
