/** Opens a data folder's log: puts the parts together. No logic of its own. */
import { unreachable } from '../lib/assert.ts'
import type { Clock } from '../lib/clock.ts'
import type { BadRange } from './bad-ranges.ts'
import { CommitLog } from './commit-log.ts'
import { DescriptorPool } from './descriptor-pool.ts'
import { storeErrors } from './errors.ts'
import type { DataFolder } from './folder.ts'
import { GroupCommit, type GroupCommitOptions } from './group-commit.ts'
import { LogFiles } from './log-files.ts'
import { type FramesBehind, framesBehind } from './frames-behind.ts'
import { LOG_ORIGIN, type LogPosition } from './log-position.ts'
import { LogReader } from './log-reader.ts'
import { LogRepair } from './log-repair.ts'
import { LogReset } from './log-reset.ts'
import { type LogSetupNeeds, beginLog } from './log-setup.ts'
import { LogStartFile } from './log-start.ts'
import { LogUpkeep } from './log-upkeep.ts'
import { PositionLookup } from './position-lookup.ts'
import { recoverLog } from './recovery.ts'
import { listSegments } from './segment-files.ts'
import { FOLDER_CASES, decide } from './recovery-table.ts'
import { Scrub, type ScrubOptions } from './scrub.ts'
import { SegmentIndexes } from './segment-indexes.ts'
import { segmentName } from './segment.ts'
import { SyncMark, SyncMarkFile, markContent } from './sync-mark.ts'
import { TailCache } from './tail-cache.ts'
import type { TailDamage } from './tail-damage.ts'
import { VerifiedChunks } from './verified-chunks.ts'
import { type SyncWatch, watchedTarget } from './watched-target.ts'

export interface CommitLogOptions extends GroupCommitOptions, ScrubOptions {
  /** The frame that reaches this size is the last of its segment. */
  readonly segmentBytes: number
  readonly tailCacheBytes: number
  /** Verified bytes kept for readers of cold entries. */
  readonly readCacheBytes: number
  /** Bytes read and verified at a time. */
  readonly readChunkBytes: number
  /** Segments open for reading, and segments whose index is in memory, at most. */
  readonly maxOpenSegments: number
  /** How long after a flush the sync mark is written. */
  readonly markDelayMs: number
  /** Bytes of log after which the growing segment's index is written: what a start reads at most. */
  readonly indexEveryBytes: number
}

const MIB = 1024 * 1024

export const DEFAULT_COMMIT_LOG_OPTIONS: CommitLogOptions = {
  mode: 'sync',
  maxUnflushedBytes: 64 * MIB,
  maxUnflushedMs: 1000,
  retryMs: 500,
  segmentBytes: 1024 * MIB,
  tailCacheBytes: 4 * MIB,
  readCacheBytes: 16 * MIB,
  readChunkBytes: 256 * 1024,
  maxOpenSegments: 16,
  markDelayMs: 100,
  indexEveryBytes: 64 * MIB,
  scrubBytesPerSecond: 4 * MIB,
  scrubPauseMs: 3_600_000,
}

export interface CommitLogHooks {
  /** The disk is full (true) or has room again (false): nothing is stable meanwhile. */
  readonly onDiskFull: (full: boolean) => void
  /** The disk can no longer be believed: the node ends. */
  readonly onFailed: (error: Error) => void
  /** Damage was found while the log was read. */
  readonly onRot: (range: BadRange) => void
  /** Told of every wait for the medium. */
  readonly syncWatch?: SyncWatch
  /** Before the log is cut behind `to`: what goes, as it lies on disk. When it resolves, it goes. */
  readonly beforeCut?: (to: LogPosition, found: FramesBehind) => Promise<void>
  /** While the log opens, before a tail is cut off that the death of a process alone cannot have left. */
  readonly onDamagedTail?: (damage: TailDamage) => Promise<void>
  /** Puts the staged state of a reset in its place (`log-reset.ts`); done again after a crash. */
  readonly installReset: () => Promise<void>
}

export interface OpenLogNeeds {
  readonly folder: DataFolder
  /** Where the segments lie, when not in `commitlog` of the folder (RocketMQ storePathCommitLog). */
  readonly segmentFolder?: string
  readonly clock: Clock
  readonly options: CommitLogOptions
  readonly hooks: CommitLogHooks
}

/** Opens or makes the log of `folder`. Rejects with the codes of `recovery-table.ts`, or with what the disk says. */
export async function openCommitLog(need: OpenLogNeeds): Promise<CommitLog> {
  const { folder, clock, options, hooks } = need
  const { fileSystem } = folder
  const segmentFolder = need.segmentFolder ?? `${folder.path}/commitlog`
  await fileSystem.mkdir(segmentFolder)
  const pathOf = (offset: number): string => `${segmentFolder}/${segmentName(offset)}`
  const descriptors = new DescriptorPool({ fileSystem, clock, pathOf, maxOpen: options.maxOpenSegments })
  const indexes = new SegmentIndexes({
    fileSystem,
    folder: segmentFolder,
    descriptors,
    maxLoaded: options.maxOpenSegments,
  })
  const startFile = await LogStartFile.open(fileSystem, `${folder.path}/log-start`)
  const markFile = await SyncMarkFile.open(fileSystem, `${folder.path}/sync-mark`)
  const marker = await folder.takeCleanMarker()
  // Names that a killed process made are seen here and may still be lost, as bytes may.
  await fileSystem.fsyncFolder(folder.path)
  await fileSystem.fsyncFolder(segmentFolder)

  const setup: LogSetupNeeds = {
    fileSystem,
    folder: segmentFolder,
    descriptors,
    startFile,
    setMark: (content) => markFile.set(content),
  }
  const offsets = await prepare(need, setup, markFile)
  const start = startFile.value
  const markFound = markFile.content
  if (start === undefined || markFound === undefined)
    throw storeErrors.create('STORE_FILE_MISSING', `${folder.path} is incomplete`)
  const isClean =
    marker !== undefined && marker.offset === markFound.position.offset && marker.crc === markFound.position.crc
  const recovered = await recoverLog(
    {
      fileSystem,
      folder: segmentFolder,
      descriptors,
      indexes,
      start,
      mark: markFound,
      isClean,
      onDamagedTail: (damage) => hooks.onDamagedTail?.(damage) ?? Promise.resolve(),
    },
    offsets,
  )
  const { outline, segments, bad, file } = recovered
  // All of it is durable now.
  if (markFound.position.offset !== outline.end.offset) await markFile.set(markContent(outline, outline.end))

  const tail = new TailCache(options.tailCacheBytes)
  const chunks = new VerifiedChunks(options.readCacheBytes)
  const reader = new LogReader({
    outline,
    segments,
    tail,
    bad,
    descriptors,
    chunks,
    loadPoints: (segment) => indexes.loadPoints(segment),
    chunkBytes: options.readChunkBytes,
    onRot: hooks.onRot,
  })
  const files = new LogFiles(
    {
      fileSystem,
      folder: segmentFolder,
      descriptors,
      async beforeTruncate(to, cut) {
        if (hooks.beforeCut !== undefined) await hooks.beforeCut(to, await framesBehind(descriptors, to, cut))
        await mark.lower(markContent(outline, to))
        await upkeep.truncating(to, cut)
      },
    },
    segments.all.map((segment) => segment.start.offset),
    file,
  )
  const commit = new GroupCommit(
    {
      target: hooks.syncWatch === undefined ? files : watchedTarget(files, hooks.syncWatch),
      clock,
      options,
      onFlushed: (position) => upkeep.flushed(position),
      onWritten: (position) => tail.evict(position.offset),
      onDiskFull: hooks.onDiskFull,
      onFailed: hooks.onFailed,
    },
    outline.end,
  )
  const mark = new SyncMark(markFile, {
    clock,
    delayMs: options.markDelayMs,
    content: () => (commit.isTruncating ? undefined : markContent(outline, commit.flushed)),
    onFailed: hooks.onFailed,
  })
  const upkeep = new LogUpkeep(
    {
      fileSystem,
      folder: segmentFolder,
      outline,
      segments,
      bad,
      commit,
      files,
      indexes,
      descriptors,
      mark,
      startFile,
      indexEveryBytes: options.indexEveryBytes,
      onFailed: hooks.onFailed,
    },
    recovered.indexedOffset,
  )
  const scrub = new Scrub({ segments, reader, clock, options, onFailed: hooks.onFailed })
  scrub.start()
  return new CommitLog({
    clock,
    outline,
    segments,
    tail,
    bad,
    reader,
    commit,
    upkeep,
    repair: new LogRepair({ fileSystem, folder: segmentFolder, outline, segments, bad, reader }),
    reset: new LogReset({ setup, outline, segments, tail, bad, reader, commit, files, upkeep }),
    positions: new PositionLookup({ fileSystem, folder: segmentFolder, outline, segments, tail, chunks, reader }),
    segmentBytes: options.segmentBytes,
    report: recovered.report,
    async close(end) {
      await scrub.stop()
      await mark.close()
      await startFile.close()
      await files.close()
      descriptors.close()
      if (end !== undefined) await folder.leaveCleanMarker(end)
    },
  })
}

/** Makes the folder's log, or what a crash has left of a reset, and returns the offsets of its segments. */
async function prepare(
  { folder, hooks }: OpenLogNeeds,
  setup: LogSetupNeeds,
  markFile: SyncMarkFile,
): Promise<readonly number[]> {
  const { fileSystem, startFile } = setup
  const start = startFile.value
  const mark = markFile.content
  const startOffset = start?.position.offset ?? 0
  const offsets =
    folder.isNew || start?.isResetting === true
      ? []
      : await listSegments({ fileSystem, folder: setup.folder, startOffset })
  const action = decide(FOLDER_CASES, {
    folder: folder.isNew ? 'new' : 'begun',
    start: start === undefined ? 'none' : start.isResetting ? 'resetting' : 'sound',
    mark: mark === undefined ? 'none' : 'sound',
    // Whether they follow each other is seen when their lengths are compared.
    segments: offsets.length === 0 ? 'none' : offsets[0] === startOffset ? 'whole' : 'gap',
  })
  switch (action) {
    case 'begin': {
      const file = await beginLog(setup, { position: LOG_ORIGIN, membership: undefined, isResetting: false })
      await file.close()
      return [LOG_ORIGIN.offset]
    }
    case 'finishReset': {
      await hooks.installReset()
      const position = start?.position ?? LOG_ORIGIN
      const file = await beginLog(setup, { position, membership: start?.membership, isResetting: false })
      await file.close()
      return [position.offset]
    }
    case 'open':
      return offsets
    case 'refuseFileMissing':
      throw storeErrors.create('STORE_FILE_MISSING', `${folder.path}: log-start or sync-mark is gone`)
    case 'refuseSegmentMissing':
      throw storeErrors.create(
        'STORE_SEGMENT_MISSING',
        `${setup.folder}: a segment is gone; there are ${offsets.map(segmentName).join(', ')}`,
      )
    default:
      return unreachable(action)
  }
}
