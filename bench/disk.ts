/** What the disk does by itself, for figures that lean on it. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const BLOCK_BYTES = 1_024 * 1_024

/** Bytes a second of one sequential write of `bytes` into a new file in `dir`, on disk at the end. */
export function sequentialWriteRate(dir: string, bytes: number): number {
  const path = join(dir, 'sequential-probe')
  const block = Buffer.alloc(BLOCK_BYTES, 'x')
  const file = openSync(path, 'w')
  try {
    const startMs = performance.now()
    for (let written = 0; written < bytes; written += block.length) writeSync(file, block)
    fdatasyncSync(file)
    return bytes / ((performance.now() - startMs) / 1_000)
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}
