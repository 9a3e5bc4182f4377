import { join } from 'node:path'
import { Level } from 'level'
import { defineErrors, errorCode } from '../lib/errors.ts'
import { makeFolder } from './make-folder.ts'

export const lockErrors = defineErrors({
  FOLDER_IN_USE: { doc: 'Another process works on the same folder.', retriable: true },
})

export interface FolderLock {
  release(): Promise<void>
}

/**
 * Keeps other processes out of `dir` as long as this one lives. LevelDB takes a lock of the operating system on its
 * folder, which goes with the process however it ends: there is no stale lock to clean up.
 * @throws `FOLDER_IN_USE`, or the system's error when the folder cannot be written.
 */
export async function lockFolder(dir: string): Promise<FolderLock> {
  const folder = join(dir, 'lock')
  makeFolder(folder)
  const database = new Level(folder)
  try {
    await database.open()
  } catch (error) {
    const cause: unknown = error instanceof Error ? error.cause : undefined
    if (errorCode(cause) !== 'LEVEL_LOCKED') throw cause ?? error
    throw lockErrors.create('FOLDER_IN_USE', `${dir} is in use by another process`)
  }
  return { release: () => database.close() }
}
