/** What the tests of the log share: a node's data folder on the faulty disk, and entries to put in. */
import { seededRandom } from '../../../src/lib/prng.ts'
import {
  type EntryDraft,
  FRAME_HEADER_BYTES,
  FrameKind,
  entryLength,
  writeEntry,
  writePlainEntry,
} from '../../../src/message/entry-frame.ts'
import type { RecordDraft } from '../../../src/message/record.ts'
import type { BadRange } from '../../../src/store/bad-ranges.ts'
import type { CommitLog } from '../../../src/store/commit-log.ts'
import { DataFolder } from '../../../src/store/folder.ts'
import { type LogPosition, positionAfter } from '../../../src/store/log-position.ts'
import {
  type CommitLogHooks,
  type CommitLogOptions,
  DEFAULT_COMMIT_LOG_OPTIONS,
  openCommitLog,
} from '../../../src/store/open-log.ts'
import type { TailDamage } from '../../../src/store/tail-damage.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { ManualClock } from '../../support/manual-clock.ts'

export const FOLDER = 'data'

/** Small enough that every limit is met within some entries. */
export const SMALL: CommitLogOptions = {
  ...DEFAULT_COMMIT_LOG_OPTIONS,
  segmentBytes: 4000,
  tailCacheBytes: 3000,
  readCacheBytes: 8000,
  readChunkBytes: 1500,
  maxOpenSegments: 3,
  indexEveryBytes: 2000,
}

export interface OpenedNode {
  readonly folder: DataFolder
  readonly log: CommitLog
  readonly clock: ManualClock
  readonly diskFull: boolean[]
  readonly failures: Error[]
  readonly rot: BadRange[]
}

export interface OpenOptions {
  readonly clock?: ManualClock
  readonly options?: Partial<CommitLogOptions>
  readonly installReset?: () => Promise<void>
  readonly onDamagedTail?: (damage: TailDamage) => Promise<void>
  readonly beforeCut?: CommitLogHooks['beforeCut']
  readonly nodeId?: string
}

/** Opens the log of the folder on `disk`, as a node does. */
export async function openNode(disk: FaultyFileSystem, open: OpenOptions = {}): Promise<OpenedNode> {
  const clock = open.clock ?? new ManualClock()
  const folder = await pumped(
    clock,
    DataFolder.open({
      fileSystem: disk,
      processes: { pid: 1, isAlive: () => false },
      clock,
      path: FOLDER,
      owner: { nodeId: open.nodeId ?? 'n0', group: 'broker-a' },
    }),
  )
  const diskFull: boolean[] = []
  const failures: Error[] = []
  const rot: BadRange[] = []
  try {
    const log = await openCommitLog({
      folder,
      clock,
      options: { ...SMALL, ...open.options },
      hooks: {
        onDiskFull: (full) => diskFull.push(full),
        onFailed: (error) => failures.push(error),
        onRot: (range) => rot.push(range),
        onDamagedTail: open.onDamagedTail ?? (() => Promise.resolve()),
        ...(open.beforeCut && { beforeCut: open.beforeCut }),
        installReset: open.installReset ?? (() => Promise.resolve()),
      },
    })
    if (folder.isNew) await folder.begun()
    return { folder, log, clock, diskFull, failures, rot }
  } catch (error) {
    await folder.close()
    throw error
  }
}

/** Lets the clock run until `work` is done: for what waits a little now and then. */
export async function pumped<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  const state = { isDone: false }
  const settle = (): void => {
    state.isDone = true
  }
  work.then(settle, settle)
  while (!state.isDone) {
    await new Promise((resolve) => setImmediate(resolve))
    if (!state.isDone) clock.advance(5)
  }
  return work
}

export async function closeNode(node: OpenedNode): Promise<void> {
  await node.log.close()
  await node.folder.close()
}

const HOST = { ip: Buffer.from([127, 0, 0, 1]), port: 10911 }

export function recordOf(body: Buffer, topic = 'orders'): RecordDraft {
  return {
    topic,
    queueId: 0,
    flag: 0,
    sysFlag: 0,
    bornTimestampMs: 1,
    bornHost: HOST,
    storeHost: HOST,
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body,
    properties: Buffer.alloc(0),
  }
}

/** An entry of `count` records whose bodies tell where they come from. */
export function draftOf(seed: number, bodyBytes = 100, count = 1): EntryDraft {
  const random = seededRandom(seed)
  const records: RecordDraft[] = []
  for (let i = 0; i < count; i++) {
    const pattern = Buffer.alloc(12)
    for (let at = 0; at < 12; at += 4) pattern.writeInt32BE(random.integer(-(2 ** 31), 2 ** 31 - 1), at)
    records.push(recordOf(Buffer.alloc(bodyBytes, pattern)))
  }
  return { records, queueOffsets: records.map((_, i) => i), command: undefined }
}

/** Frames as a leader would send them, which follow `after`. */
export function framesAfter(
  after: LogPosition,
  term: number,
  drafts: readonly (EntryDraft | Buffer)[],
  endsSegment: (at: number) => boolean = () => false,
): Buffer[] {
  const frames: Buffer[] = []
  let position = after
  for (const [at, draft] of drafts.entries()) {
    const length = Buffer.isBuffer(draft) ? FRAME_HEADER_BYTES + draft.length : entryLength(draft)
    const frame = Buffer.alloc(length)
    const place = {
      index: position.index + 1,
      term,
      offset: position.offset,
      timestampMs: position.timestampMs + 1,
      previousCrc: position.crc,
      endsSegment: endsSegment(at),
    }
    if (Buffer.isBuffer(draft)) writePlainEntry(FrameKind.membership, draft, frame, 0, place)
    else writeEntry(draft, frame, 0, length, place)
    frames.push(frame)
    position = positionAfter(frame, 0)
  }
  return frames
}

/** Every frame of the log, one by one, read back. */
export async function readAll(log: CommitLog): Promise<Buffer[]> {
  const frames: Buffer[] = []
  for (let index = log.start.index + 1; index <= log.end.index; index++) {
    const found = await log.read(index, index, 1)
    frames.push(Buffer.concat(found?.bytes ?? []))
  }
  return frames
}
