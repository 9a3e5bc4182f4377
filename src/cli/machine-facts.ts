/** What this machine and one of its disks are, for measurements. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import type { MachineFacts } from '../report/machine.ts'
import { median } from '../report/statistics.ts'

const SYNCS = 200
const SYNC_BYTES = 4096

/** `dir`: where the measurement writes. */
export function machineFacts(dir: string): MachineFacts {
  const [cpu] = cpus()
  return {
    machine: {
      cpu: cpu?.model.trim() ?? 'unknown',
      cores: cpus().length,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      system: `${platform()} ${release()} ${arch()}`,
    },
    node: process.version,
    fsyncMs: fsyncCost(dir),
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(1)),
  }
}

function fsyncCost(dir: string): number {
  const path = join(dir, 'fsync-probe')
  const block = Buffer.alloc(SYNC_BYTES, 0x61)
  const file = openSync(path, 'w')
  try {
    const times = Array.from({ length: SYNCS }, (_, at) => {
      const startMs = performance.now()
      writeSync(file, block, 0, block.length, at * SYNC_BYTES)
      fdatasyncSync(file)
      return performance.now() - startMs
    })
    return Number(median(times).toFixed(3))
  } finally {
    closeSync(file)
    rmSync(path, { force: true })
  }
}
