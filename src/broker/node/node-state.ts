/**
 * What a node keeps: its folder, the log, term and vote, what is derived from the log, and the replicated tables. Opened
 * in this order, closed in the other.
 */
import type { HardState } from '../../raft/types.ts'
import { emptyHardState } from '../../raft/types.ts'
import type { ResetMeta, ResetSource, StableStore } from '../../raft/ports.ts'
import { present } from '../../lib/assert.ts'
import { installReset } from '../../store/install-reset.ts'
import type { LogPosition } from '../../store/log-position.ts'
import { TableStore } from '../../store/table-store.ts'
import { TimerIndex } from '../../store/timer-index.ts'
import { LogTrust } from './log-trust.ts'
import type { NodeTables } from './node-tables.ts'
import { stageReset } from './staged-reset.ts'
import { setAsideUncommitted } from './set-aside-uncommitted.ts'
import { encodeMembership, membershipEntry } from '../log/raft-log.ts'
import type { BadRange } from '../../store/bad-ranges.ts'
import type { CommitLog } from '../../store/commit-log.ts'
import { DataFolder } from '../../store/folder.ts'
import { SlowDisk } from '../group/slow-disk.ts'
import { FlushSwitch } from '../log/flush-switch.ts'
import { EarlyFile } from '../../store/early-file.ts'
import { LostMessages } from '../../store/lost-messages.ts'
import { TrustFile } from '../../store/trust-file.ts'
import { HardStateFile, type HardStateFields } from '../../store/hard-state.ts'
import { openLevelDatabase } from '../../store/level-database.ts'
import type { LogSource } from '../../store/log-source.ts'
import { MessageStore } from '../../store/message-store.ts'
import { nodeFileSystem, nodeProcesses, nodeBootId } from '../../store/node-file-system.ts'
import { DEFAULT_COMMIT_LOG_OPTIONS, openCommitLog } from '../../store/open-log.ts'
import type { BrokerOptions } from '../options/options.ts'
import type { BrokerParts } from '../running-broker.ts'

export interface NodeStateNeeds {
  readonly options: BrokerOptions
  readonly parts: BrokerParts
  /** Filled from their snapshot, which is written with every checkpoint of queues and indexes. */
  readonly tables: NodeTables
  readonly onDiskFull: (full: boolean) => void
  readonly onRot: (range: BadRange) => void
  readonly fatal: (error: Error) => void
}

export interface NodeState {
  readonly folder: DataFolder
  readonly log: CommitLog
  /** What stable means from here on (`LogStore.setDurable`). */
  setDurable(durable: boolean): void
  readonly slowDisk: SlowDisk
  readonly early: EarlyFile
  readonly lost: LostMessages
  readonly stableStore: StableStore
  readonly store: MessageStore
  readonly timers: TimerIndex
  /** For a follower that is behind the start of this node's log. */
  openReset(): Promise<ResetSource>
  /** Replaces everything by what a leader sent; nothing may be applied meanwhile. */
  replace(meta: ResetMeta, chunks: AsyncIterable<Uint8Array>): Promise<void>
  bytesOnDisk(): Promise<number>
  close(): Promise<void>
  /** Lets go of files as they are, for a node that ends because its disk failed. */
  abandon(): Promise<void>
}

/** Takes the folder, or says why not (`STORE_*`). */
export function openFolder(options: BrokerOptions, parts: BrokerParts): Promise<DataFolder> {
  return DataFolder.open({
    fileSystem: parts.fileSystem ?? nodeFileSystem,
    clock: parts.clock,
    processes: parts.processes ?? nodeProcesses,
    path: options.storePathRootDir,
    segmentFolder: options.storePathCommitLog,
    owner: { nodeId: options.nodeId, group: options.dLegerGroup },
  })
}

export async function openNodeState(folder: DataFolder, need: NodeStateNeeds): Promise<NodeState> {
  const { options, parts, fatal, tables } = need
  const { clock } = parts
  const { fileSystem } = folder
  const derived = `${folder.path}/derived`
  const staged = `${folder.path}/reset-state`
  const tableStore = await TableStore.open(`${folder.path}/tables`, parts.openDatabase ?? openLevelDatabase)
  const timers = await TimerIndex.open(`${folder.path}/timers`, parts.openDatabase ?? openLevelDatabase)
  const install = (): Promise<unknown> =>
    installReset({ fileSystem, path: staged, folder: derived, tables: tableStore })
  const loadTables = async (): Promise<void> => {
    await tableStore.load(tables.byName.values())
    tables.loaded(tableStore.appliedIndex)
  }
  const slowDisk = new SlowDisk({ limitMs: options.slowDiskLimitMs, forMs: options.slowDiskForMs })
  const early = await EarlyFile.open(fileSystem, `${folder.path}/early`)
  const lost = new LostMessages(fileSystem, `${folder.path}/lost`)
  const hardState = await HardStateFile.open(folder, { ...emptyHardState })
  const bootId = (parts.bootId ?? nodeBootId)()
  const trust = await TrustFile.open(fileSystem, `${folder.path}/trust`, bootId)
  const logTrust = new LogTrust({ trust, hardState, log: parts.log })
  const log = await openCommitLog({
    folder,
    segmentFolder: options.storePathCommitLog,
    clock,
    options: {
      ...DEFAULT_COMMIT_LOG_OPTIONS,
      // Raft's leader says what stable means; before one is heard it is the stricter.
      mode: 'sync',
      segmentBytes: options.mappedFileSizeCommitLog,
      tailCacheBytes: options.tailCacheBytes,
      maxUnflushedBytes: options.maxUnflushedBytes,
      maxUnflushedMs: options.maxUnflushedMs,
    },
    hooks: {
      onDiskFull: need.onDiskFull,
      onFailed: fatal,
      onRot: need.onRot,
      syncWatch: {
        began: () => slowDisk.began(clock.monotonicMs()),
        ended: () => slowDisk.ended(clock.monotonicMs()),
      },
      beforeCut: async (to, { frames, damaged }) => {
        const { term } = early.value
        if (term === 0) return
        for (const { offset, end } of damaged) {
          parts.log.warn({ term, offset, end }, 'bytes of the log that is cut have rotted and cannot be set aside')
          await early.rotted(offset, end)
        }
        await lost.setAside(to.offset, frames, early.value)
      },
      onDamagedTail: (damage) => logTrust.tailIsDamaged(damage),
      installReset: async () => {
        await install()
      },
    },
  })
  await logTrust.opened(folder.isNew || folder.wasLeftInOrder ? 'clean' : 'unclean')
  await lost.settle((index, term) => log.termAt(index) !== term)
  const flushSwitch = new FlushSwitch({ log, trust, fatal })
  const store = await MessageStore.open({
    fileSystem,
    folder: derived,
    log: logSource(log),
    clock,
    logger: parts.log,
    timers,
    alongside: () => tableStore.cut(tables.standsAt, tables.byName.values()),
    fatal,
  })
  await loadTables()
  if (folder.isNew) await folder.begun()
  return {
    folder,
    log,
    setDurable: (durable) => flushSwitch.set(durable),
    slowDisk,
    early,
    lost,
    stableStore: stableStoreOf(hardState),
    store,
    timers,
    async openReset() {
      const now = (): { readonly position: LogPosition; readonly tablesIndex: number } => ({
        position: log.start,
        tablesIndex: tables.standsAt,
      })
      const file = await store.openReset(now, tables.byName.values())
      return {
        meta: metaOf(log, file),
        read: (position, length) => file.read(position, length),
        // A file that cannot be removed is removed by the next reset under its name.
        close: () => void file.close().catch(() => undefined),
      }
    },
    async replace(meta, chunks) {
      const setAside = (): Promise<void> =>
        setAsideUncommitted({ log, early, lost, logger: parts.log }, tables.standsAt)
      const start = await stageReset({ fileSystem, path: staged, setAside }, chunks)
      const { index, membership } = meta.membership
      await log.reset({
        start: start.position,
        membership: { index, bytes: encodeMembership(membership) },
        stage: () => Promise.resolve(),
        install: async () => {
          await store.suspend()
          await install()
        },
      })
      await store.reopen()
      await loadTables()
      await fileSystem.unlink(staged)
    },
    async bytesOnDisk() {
      const { pageBytes, keyIndexBytes, checkpointBytes } = await store.stats()
      return log.end.offset - log.start.offset + pageBytes + keyIndexBytes + checkpointBytes
    },
    async close() {
      await store.close()
      await tableStore.close()
      await timers.close()
      await flushSwitch.settled()
      await log.close()
      await trust.close()
      await early.close()
      await hardState.close()
    },
    async abandon() {
      await store.abandon()
      await log.abandon()
      await flushSwitch.settled()
      await trust.close()
      await early.close()
      await hardState.close()
      await tableStore.close()
      await timers.close()
    },
  }
}

/** Stages what a leader sent; bytes that are no state are its fault, not the disk's. */
function metaOf(
  log: CommitLog,
  file: { readonly byteLength: number; readonly start: { readonly position: LogPosition } },
): ResetMeta {
  const { index, term } = file.start.position
  const membership = log.state().memberships.findLast((entry) => entry.index <= index)
  return {
    start: { index, term },
    membership: membershipEntry(membership?.index ?? 0, present(membership, 'membership of a log start').bytes),
    byteLength: file.byteLength,
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
  const { term, vote, filled, trusted, clusterId } = fields as Partial<HardState>
  return {
    term: term ?? 0,
    vote: vote ?? null,
    filled: filled ?? false,
    trusted: trusted ?? true,
    clusterId: clusterId ?? null,
  }
}
