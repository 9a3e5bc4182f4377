import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder with those above it; nothing where it is there. Throws what the system says. Folder by folder, because
 * Node's recursive mkdir never ends where a parent takes no folders (/proc on Linux).
 */
export function makeFolder(path: string): void {
  const folder = resolve(path)
  const stats = statSync(folder, { throwIfNoEntry: false })
  if (stats?.isDirectory() === true) return
  if (stats === undefined && folder !== dirname(folder)) makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // Somebody else made it in between; anything else that bears its name stands in the way.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) throw error
  }
}
