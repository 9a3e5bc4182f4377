/**
 * What a node keeps: its folder, the log, term and vote, what is derived from the log, and the replicated tables. Opened
 * in this order, closed in the other.
 */
import type { HardState } from '../raft/types.ts'
import { emptyHardState } from '../raft/types.ts'
import type { StableStore } from '../raft/ports.ts'
import type { BadRange } from '../store/bad-ranges.ts'
import type { CommitLog } from '../store/commit-log.ts'
import { DataFolder } from '../store/folder.ts'
import { HardStateFile, type HardStateFields } from '../store/hard-state.ts'
import type { LogSource } from '../store/log-source.ts'
import { MessageStore } from '../store/message-store.ts'
import { nodeFileSystem, nodeProcesses } from '../store/node-file-system.ts'
import { DEFAULT_COMMIT_LOG_OPTIONS, openCommitLog } from '../store/open-log.ts'
import type { BrokerOptions } from './options.ts'
import type { BrokerParts } from './running-broker.ts'

export interface NodeStateNeeds {
  readonly options: BrokerOptions
  readonly parts: BrokerParts
  readonly onDiskFull: (full: boolean) => void
  readonly onRot: (range: BadRange) => void
  readonly fatal: (error: Error) => void
}

export interface NodeState {
  readonly folder: DataFolder
  readonly log: CommitLog
  readonly stableStore: StableStore
  readonly store: MessageStore
  close(): Promise<void>
  /** Lets go of files as they are, for a node that ends because its disk failed. */
  abandon(): Promise<void>
}

/** Takes the folder, or says why not (`STORE_*`). */
export function openFolder(options: BrokerOptions, parts: BrokerParts): Promise<DataFolder> {
  return DataFolder.open({
    fileSystem: nodeFileSystem,
    clock: parts.clock,
    processes: nodeProcesses,
    path: options.storePathRootDir,
    owner: { nodeId: options.nodeId, group: options.dLegerGroup },
  })
}

export async function openNodeState(folder: DataFolder, need: NodeStateNeeds): Promise<NodeState> {
  const { options, parts, fatal } = need
  const { clock } = parts
  const log = await openCommitLog({
    folder,
    clock,
    options: {
      ...DEFAULT_COMMIT_LOG_OPTIONS,
      mode: options.flushDiskType === 'SYNC_FLUSH' ? 'sync' : 'async',
      segmentBytes: options.mappedFileSizeCommitLog,
      tailCacheBytes: options.tailCacheBytes,
      maxUnflushedBytes: options.maxUnflushedBytes,
      maxUnflushedMs: options.maxUnflushedMs,
    },
    hooks: {
      onDiskFull: need.onDiskFull,
      onFailed: fatal,
      onRot: need.onRot,
      installReset: () => Promise.resolve(),
    },
  })
  const hardState = await HardStateFile.open(folder, { ...emptyHardState })
  const store = await MessageStore.open({
    fileSystem: folder.fileSystem,
    folder: `${folder.path}/derived`,
    log: logSource(log),
    clock,
    logger: parts.log,
    fatal,
  })
  if (folder.isNew) await folder.begun()
  return {
    folder,
    log,
    stableStore: stableStoreOf(hardState),
    store,
    async close() {
      await store.close()
      await log.close()
      await hardState.close()
    },
    async abandon() {
      await log.abandon()
      await hardState.close()
    },
  }
}

function logSource(log: CommitLog): LogSource {
  return {
    frameInMemory: (offset) => log.frameInMemory(offset),
    frameAt: (offset) => log.frameAt(offset),
    get startOffset() {
      return log.start.offset
    },
    get startIndex() {
      return log.start.index
    },
    get endOffset() {
      return log.end.offset
    },
    async flushedThrough(offset) {
      if (log.flushed.offset < offset) await log.flush()
    },
  }
}

function stableStoreOf(file: HardStateFile): StableStore {
  return {
    load: () => decode(file.value),
    save: (state) => file.save({ ...state }),
  }
}

function decode(fields: HardStateFields): HardState {
  const { term, vote, filled, clusterId } = fields as Partial<HardState>
  return { term: term ?? 0, vote: vote ?? null, filled: filled ?? false, clusterId: clusterId ?? null }
}
