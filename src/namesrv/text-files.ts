/** The two small files of a name server, read and written whole. Only this file of the room touches the disk. */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { errorCode } from '../lib/errors.ts'

export interface TextFiles {
  /** Undefined when there is no such file. */
  read(path: string): string | undefined
  /** Replaces the file: after a crash it holds the old text or the new one, whole. Throws what the disk says. */
  write(path: string, text: string): void
}

/** Synchronous: the files are small, changes are rare, and an answer may only leave when they are on disk. */
export const nodeTextFiles: TextFiles = {
  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
  },
  write(path, text) {
    const folder = dirname(path)
    const temporary = `${path}.tmp`
    mkdirSync(folder, { recursive: true })
    syncedWrite(temporary, text)
    renameSync(temporary, path)
    syncFolder(folder)
  },
}

function syncedWrite(path: string, text: string): void {
  const file = openSync(path, 'w')
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Makes the rename durable. Windows cannot open folders, and needs no such call. */
function syncFolder(path: string): void {
  let folder: number
  try {
    folder = openSync(path, 'r')
  } catch {
    return
  }
  try {
    fsyncSync(folder)
  } catch (error) {
    if (errorCode(error) !== 'EPERM' && errorCode(error) !== 'EISDIR') throw error
  } finally {
    closeSync(folder)
  }
}
