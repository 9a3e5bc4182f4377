/** Processor time and memory of another process, where the system says it in files (Linux); undefined elsewhere. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Processor time of the process so far, its threads and the system's work for it included, in microseconds. */
export function cpuMicrosOf(pid: number): number | undefined {
  const stat = readProc(pid, 'stat')
  return stat === undefined ? undefined : cpuTicks(stat) * (1_000_000 / ticksPerSecond())
}

/** Memory of the process that is in RAM, in MB. */
export function rssMegabytesOf(pid: number): number | undefined {
  const status = readProc(pid, 'status')
  return status === undefined ? undefined : rssMegabytes(status)
}

/** utime + stime of a `/proc/PID/stat`. The name in parentheses may hold blanks and parentheses. */
export function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** VmRSS of a `/proc/PID/status`. */
export function rssMegabytes(status: string): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
  return kibibytes === undefined ? undefined : (Number(kibibytes) * 1024) / 1e6
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

let ticks: number | undefined
function ticksPerSecond(): number {
  ticks ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return ticks
}
