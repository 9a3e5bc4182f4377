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

export interface Memory {
  readonly rssMegabytes: number
  /** The same without what is mapped from files: stores, programs, libraries. */
  readonly unmappedMegabytes: number
}

/** What of the process is in RAM, with and without files that it maps. */
export function memoryOf(pid: number): Memory | undefined {
  const smaps = readProc(pid, 'smaps')
  return smaps === undefined ? undefined : memory(smaps)
}

/** Of a `/proc/PID/smaps`: mappings with a head `FROM-TO PERMISSIONS OFFSET DEVICE INODE PATH`, inode 0 where no file is behind. */
export function memory(smaps: string): Memory {
  let [all, unmapped] = [0, 0]
  let isFile = false
  for (const line of smaps.split('\n')) {
    const inode = /^[\da-f]+-[\da-f]+ \S+ \S+ \S+ (\d+)/.exec(line)?.[1]
    if (inode !== undefined) isFile = inode !== '0'
    const kibibytes = /^Rss:\s+(\d+) kB$/.exec(line)?.[1]
    if (kibibytes === undefined) continue
    all += Number(kibibytes)
    if (!isFile) unmapped += Number(kibibytes)
  }
  return { rssMegabytes: (all * 1024) / 1e6, unmappedMegabytes: (unmapped * 1024) / 1e6 }
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
