/** Where and on what a result was measured: no figure is given without it. */
import { execFileSync } from 'node:child_process'
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { median } from './statistics.ts'

export interface Environment {
  /** Of the sources; `+` behind it: with changes that are not committed. */
  readonly commit: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGiB: number
    readonly system: string
  }
  readonly node: string
  /** 4 KiB written and fdatasync, the median of 200. */
  readonly fsyncMs: number
  /** Load average of the last minute before the scenario began: what else the machine was doing. */
  readonly loadBefore: number
}

const SYNCS = 200
const SYNC_BYTES = 4096

/** `dir`: where the scenarios write. */
export function environmentOf(root: string, dir: string): Environment {
  const [cpu] = cpus()
  return {
    commit: commitOf(root),
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

function commitOf(root: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'package-lock.json')
    return `${git('rev-parse', '--short=10', 'HEAD')}${changed === '' ? '' : '+'}`
  } catch {
    return 'unknown'
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
