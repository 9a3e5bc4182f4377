/** Runs one scenario in a process with network and mount namespaces of its own; needs root on Linux. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Result, RunRequest } from './run-scenario.ts'

/** Resolves with what the process found; it has said why where there is nothing. */
export async function runSealed({
  scenario,
  workload,
  mode,
  ms,
  maxRounds,
  seed,
  ratePerSecond,
  acks,
  keep,
}: RunRequest): Promise<Result> {
  const dir = mkdtempSync(join(tmpdir(), 'raftmq-chaos-sealed-'))
  const out = join(dir, 'report')
  const rounds = ms === Infinity ? ['--rounds', String(maxRounds)] : ['--minutes', String(ms / 60_000)]
  const modes = ['--flush', mode.flush, '--replication', mode.replication]
  const load = ['--workload', workload, '--seed', String(seed), '--rate', String(ratePerSecond), '--acks', String(acks)]
  const own = [
    '--sealed',
    '--scenario',
    scenario.name,
    '--out',
    out,
    ...rounds,
    ...modes,
    ...load,
    ...(keep ? ['--keep'] : []),
  ]
  const inside = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath, process.argv[1] ?? '', ...own]
  const child = spawn('unshare', ['-n', '-m', '--propagation', 'private', ...inside], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await new Promise((resolve) => child.once('close', resolve))
  try {
    // Written by `main.ts` from values of this type.
    const [result]: readonly Result[] = JSON.parse(readFileSync(`${out}.json`, 'utf8'))
    if (result === undefined) throw new Error('nothing was run')
    return result
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}
