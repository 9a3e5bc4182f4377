/** The files of segments in their folder. */
import type { FileSystem } from './file-system.ts'
import { segmentName, segmentOffset } from './segment.ts'

/** Offsets of the segments in the folder, ascending. Those wholly below the log start are removed: retention's leftovers. */
export async function listSegments(need: {
  readonly fileSystem: FileSystem
  readonly folder: string
  readonly startOffset: number
}): Promise<number[]> {
  const { fileSystem, folder, startOffset } = need
  const offsets: number[] = []
  for (const name of await fileSystem.readdir(folder)) {
    const offset = segmentOffset(name)
    if (offset !== undefined) offsets.push(offset)
  }
  offsets.sort((a, b) => a - b)
  const kept = offsets.filter((offset) => offset >= startOffset)
  for (const offset of offsets) {
    if (offset < startOffset) await removeSegment(fileSystem, folder, offset)
  }
  if (kept.length < offsets.length) await fileSystem.fsyncFolder(folder)
  return kept
}

export async function removeSegment(fileSystem: FileSystem, folder: string, offset: number): Promise<void> {
  const path = `${folder}/${segmentName(offset)}`
  await fileSystem.unlink(`${path}.index`)
  await fileSystem.unlink(path)
}
