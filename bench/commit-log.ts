/**
 * The CommitLog alone on this machine's disk: entries of 1,000 records of 128 bytes, appended and made stable as a leader
 * does it, some entries ahead; then the log read back; then the time to open it after a clean stop and after a kill.
 */
import { systemClock } from '../src/lib/clock.ts'
import type { EntryDraft } from '../src/message/entry-frame.ts'
import type { RecordDraft } from '../src/message/record.ts'
import type { CommitLog } from '../src/store/commit-log.ts'
import { DataFolder } from '../src/store/folder.ts'
import type { FlushMode } from '../src/store/group-commit.ts'
import { nodeFileSystem, nodeProcesses } from '../src/store/node-file-system.ts'
import { type CommitLogOptions, DEFAULT_COMMIT_LOG_OPTIONS, openCommitLog } from '../src/store/open-log.ts'

const RECORDS_PER_ENTRY = 1000

export interface CommitLogResult {
  readonly recordsPerSecond: number
  readonly megabytesPerSecond: number
  readonly flushMs: { readonly p50: number; readonly p99: number }
  /** Of the whole process, threads included. */
  readonly cpuMicrosPerRecord: number
  readonly bytes: number
}

export interface AppendCase {
  readonly folder: string
  readonly mode: FlushMode
  readonly entries: number
  readonly recordsPerEntry?: number
  /** Entries that are not stable yet, at most. */
  readonly ahead: number
}

/** Appends to the log in `folder`, which it leaves closed in order. */
export async function benchAppend(bench: AppendCase): Promise<CommitLogResult> {
  const { mode, entries, recordsPerEntry = RECORDS_PER_ENTRY } = bench
  const { log, folder } = await openAt(bench.folder, { mode })
  const draft = draftOf(recordsPerEntry)
  const latencies: number[] = []
  const from = log.end
  const cpu = process.cpuUsage()
  const startMs = systemClock.monotonicMs()
  const flight = { waiting: 0 }
  let wake: (() => void) | undefined
  for (let i = 1; i <= entries; i++) {
    log.append({ index: from.index + i, term: 1 }, draft)
    const appendedMs = systemClock.monotonicMs()
    flight.waiting++
    void log.stable().then(() => {
      latencies.push(systemClock.monotonicMs() - appendedMs)
      flight.waiting--
      wake?.()
    })
    while (flight.waiting >= bench.ahead) await new Promise<void>((resolve) => (wake = resolve))
  }
  await log.stable()
  const elapsedMs = systemClock.monotonicMs() - startMs
  const used = process.cpuUsage(cpu)
  const bytes = log.end.offset - from.offset
  await log.close()
  await folder.close()
  latencies.sort((a, b) => a - b)
  const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0
  return {
    recordsPerSecond: Math.round((entries * recordsPerEntry * 1000) / elapsedMs),
    megabytesPerSecond: Math.round(bytes / elapsedMs / 1000),
    flushMs: { p50: at(0.5), p99: at(0.99) },
    cpuMicrosPerRecord: (used.user + used.system) / (entries * recordsPerEntry),
    bytes,
  }
}

/** Reads the whole log of `folder` as a peer that is behind does. */
export async function benchRead(path: string): Promise<{ megabytesPerSecond: number }> {
  const { log, folder } = await openAt(path, {})
  const startMs = systemClock.monotonicMs()
  let bytes = 0
  for (let index = log.start.index + 1; index <= log.end.index; ) {
    const found = await log.read(index, log.end.index, 1 << 20)
    if (found === undefined) throw new Error(`entry ${index} is gone`)
    for (const part of found.bytes) bytes += part.length
    index = found.last + 1
  }
  const elapsedMs = systemClock.monotonicMs() - startMs
  await log.close()
  await folder.close()
  return { megabytesPerSecond: Math.round(bytes / elapsedMs / 1000) }
}

/** Milliseconds to open the log of `path`; left as a killed process leaves it unless `isClean`. */
export async function benchOpen(path: string, isClean: boolean): Promise<{ openMs: number; scannedBytes: number }> {
  const startMs = systemClock.monotonicMs()
  const { log, folder } = await openAt(path, {})
  const openMs = systemClock.monotonicMs() - startMs
  const { scannedBytes } = log.recovery
  if (isClean) await log.close()
  else await log.abandon()
  await folder.close()
  return { openMs, scannedBytes }
}

async function openAt(
  path: string,
  options: Partial<CommitLogOptions>,
): Promise<{ log: CommitLog; folder: DataFolder }> {
  const owner = { nodeId: 'n0', group: 'bench' }
  const folder = await DataFolder.open({
    fileSystem: nodeFileSystem,
    processes: nodeProcesses,
    clock: systemClock,
    path,
    owner,
  })
  const log = await openCommitLog({
    folder,
    clock: systemClock,
    options: { ...DEFAULT_COMMIT_LOG_OPTIONS, ...options },
    hooks: {
      onDiskFull() {},
      onFailed(error) {
        throw error
      },
      onRot() {},
      installReset: () => Promise.resolve(),
    },
  })
  if (folder.isNew) await folder.begun()
  return { log, folder }
}

function draftOf(count: number): EntryDraft {
  const host = { ip: Buffer.from([127, 0, 0, 1]), port: 10911 }
  const record: RecordDraft = {
    topic: 'bench',
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestampMs: 1,
    bornHost: host,
    storeHost: host,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.alloc(128, 97),
    properties: Buffer.alloc(0),
  }
  return {
    records: Array.from({ length: count }, () => record),
    queueOffsets: Array.from({ length: count }, (_, i) => i),
    command: undefined,
  }
}
