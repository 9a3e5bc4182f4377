/**
 * A node's data folder: who works on it, whose it is, and whether it was left in order.
 *
 *     lock         who works on it: JSON {"pid":…}
 *     identity     whose it is (slot file): JSON {"format":1,"nodeId":…,"group":…,"clusterId":…|null}
 *     clean        left in order: JSON {"end":[offset,index,term,crc,timestampMs],"crc":…}; taken away before anything is
 *                  written
 */
import { crc32 } from 'node:zlib'
import { assert } from '../lib/assert.ts'
import { type Clock, sleep } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'
import { storeErrors } from './errors.ts'
import { type FileSystem, readFile } from './file-system.ts'
import { type LogPosition, asPosition, positionFields } from './log-position.ts'
import type { Processes } from './node-file-system.ts'
import { segmentOffset } from './segment.ts'
import { SlotFile } from './slot-file.ts'

/** Of everything in the folder: raised when an older version could no longer read it. */
export const FOLDER_FORMAT = 1

export interface FolderOwner {
  readonly nodeId: string
  readonly group: string
}

export interface FolderNeeds {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  readonly processes: Processes
  readonly path: string
  /** Where the segments lie, when not in `commitlog` of the folder (RocketMQ storePathCommitLog). */
  readonly segmentFolder?: string | undefined
  readonly owner: FolderOwner
}

interface Identity {
  readonly format: number
  readonly nodeId: string
  readonly group: string
  readonly clusterId: string | null
}

export class DataFolder {
  readonly fileSystem: FileSystem
  readonly path: string
  readonly #need: FolderNeeds
  readonly #slots: SlotFile
  #identity: Identity | undefined
  #wasLeftInOrder = false
  /** One save after the other: joining may be asked for again while it is under way. */
  #saving: Promise<void> = Promise.resolve()

  private constructor(need: FolderNeeds, slots: SlotFile, identity: Identity | undefined) {
    this.fileSystem = need.fileSystem
    this.path = need.path
    this.#need = need
    this.#slots = slots
    this.#identity = identity
  }

  /**
   * Takes the folder, making it when it is not there. Throws `STORE_LOCKED`, `STORE_FOREIGN_FOLDER`,
   * `STORE_NAMELESS_LOG`, `STORE_NEWER_FORMAT`, `STORE_SLOTS_CORRUPT`, or what the disk says.
   */
  static async open(need: FolderNeeds): Promise<DataFolder> {
    await need.fileSystem.mkdir(need.path)
    await lock(need)
    try {
      const isNameless = (await SlotFile.peek(need.fileSystem, `${need.path}/identity`)) === undefined
      if (isNameless) await refuseLogOfOthers(need)
      const slots = await SlotFile.open(need.fileSystem, `${need.path}/identity`)
      try {
        const identity = slots.value === undefined ? undefined : decodeIdentity(slots.value, need)
        return new DataFolder(need, slots, identity)
      } catch (error) {
        await slots.close()
        throw error
      }
    } catch (error) {
      await unlock(need)
      throw error
    }
  }

  /** Whose the folder at `path` is, without taking it; undefined where none was begun. Throws `STORE_SLOTS_CORRUPT`. */
  static async ownerOf(fileSystem: FileSystem, path: string): Promise<FolderOwner | undefined> {
    const value = await SlotFile.peek(fileSystem, `${path}/identity`)
    if (value === undefined) return undefined
    const fields: unknown = JSON.parse(value.toString())
    return { nodeId: String(field(fields, 'nodeId')), group: String(field(fields, 'group')) }
  }

  /** Nothing was ever acknowledged out of it: it was not begun, or its making did not end. */
  get isNew(): boolean {
    return this.#identity === undefined
  }

  /** Null until the node has joined a cluster. */
  get clusterId(): string | null {
    return this.#identity?.clusterId ?? null
  }

  /** The folder's files are made: from now on each of them must be there. */
  async begun(): Promise<void> {
    assert(this.isNew, 'a folder is begun once')
    await this.fileSystem.fsyncFolder(this.path)
    await this.#save({ format: FOLDER_FORMAT, ...this.#need.owner, clusterId: null })
  }

  /** Joins a cluster, for good. Throws `STORE_FOREIGN_FOLDER` when the folder belongs to another one. */
  join(clusterId: string): Promise<void> {
    const joined = this.#saving.then(async () => {
      const identity = this.#identity
      assert(identity !== undefined, 'a folder is begun before it joins')
      if (identity.clusterId === clusterId) return
      if (identity.clusterId !== null) throw foreign(this.path, 'cluster', identity.clusterId, clusterId)
      await this.#save({ ...identity, clusterId })
    })
    this.#saving = joined.catch(() => undefined)
    return joined
  }

  /** Whether the last stop was in order: known once the marker was taken. */
  get wasLeftInOrder(): boolean {
    return this.#wasLeftInOrder
  }

  /** Reads the marker of an orderly stop and takes it away, durably. Undefined when the last stop was none. */
  async takeCleanMarker(): Promise<LogPosition | undefined> {
    const path = `${this.path}/clean`
    const bytes = await readFile(this.fileSystem, path)
    if (bytes === undefined) return undefined
    await this.fileSystem.unlink(path)
    await this.fileSystem.fsyncFolder(this.path)
    const marker = decodeMarker(bytes)
    this.#wasLeftInOrder = marker !== undefined
    return marker
  }

  /** Everything is durable, the log ends at `end`: the next start need not look. */
  async leaveCleanMarker(end: LogPosition): Promise<void> {
    const fields = JSON.stringify(positionFields(end))
    const file = await this.fileSystem.open(`${this.path}/clean`, 'create')
    try {
      await file.truncate(0)
      await file.writev([Buffer.from(JSON.stringify({ end: positionFields(end), crc: crc32(Buffer.from(fields)) }))], 0)
      await file.fdatasync()
    } finally {
      await file.close()
    }
    await this.fileSystem.fsyncFolder(this.path)
  }

  /** Lets the folder go. */
  async close(): Promise<void> {
    await this.#saving
    await this.#slots.close()
    await unlock(this.#need)
  }

  async #save(identity: Identity): Promise<void> {
    await this.#slots.save(Buffer.from(JSON.stringify(identity)))
    this.#identity = identity
  }
}

function decodeIdentity(value: Buffer, { path, owner }: FolderNeeds): Identity {
  const fields: unknown = JSON.parse(value.toString())
  const format = field(fields, 'format')
  if (typeof format !== 'number' || format > FOLDER_FORMAT) {
    throw storeErrors.create(
      'STORE_NEWER_FORMAT',
      `${path} has format ${String(format)}, this version knows ${FOLDER_FORMAT}`,
    )
  }
  const nodeId = String(field(fields, 'nodeId'))
  const group = String(field(fields, 'group'))
  const clusterId = field(fields, 'clusterId')
  if (nodeId !== owner.nodeId) throw foreign(path, 'node', nodeId, owner.nodeId)
  if (group !== owner.group) throw foreign(path, 'group', group, owner.group)
  return { format, nodeId, group, clusterId: typeof clusterId === 'string' ? clusterId : null }
}

/**
 * A log without an identity is that of a broker of RocketMQ, or the identity got lost: beginning anew would empty it.
 * Between the making of our log and that of its identity no byte is written to a segment.
 */
async function refuseLogOfOthers({
  fileSystem,
  path,
  segmentFolder = `${path}/commitlog`,
}: FolderNeeds): Promise<void> {
  if ((await fileSystem.stat(segmentFolder))?.isFolder !== true) return
  for (const name of await fileSystem.readdir(segmentFolder)) {
    const file = await fileSystem.stat(`${segmentFolder}/${name}`)
    if (segmentOffset(name) === undefined || file === undefined || file.size === 0) continue
    throw storeErrors.create(
      'STORE_NAMELESS_LOG',
      `${segmentFolder} holds a CommitLog, and ${path} has no identity: it is the store of a broker of RocketMQ, or its ` +
        'file identity got lost; nothing was touched',
    )
  }
}

function field(fields: unknown, name: string): unknown {
  return typeof fields === 'object' && fields !== null ? Reflect.get(fields, name) : undefined
}

function foreign(path: string, what: string, theirs: string, ours: string): Error {
  return storeErrors.create('STORE_FOREIGN_FOLDER', `${path} belongs to ${what} ${theirs}, not to ${ours}`)
}

function decodeMarker(bytes: Buffer): LogPosition | undefined {
  try {
    const fields: unknown = JSON.parse(bytes.toString())
    if (typeof fields !== 'object' || fields === null || !('end' in fields) || !('crc' in fields)) return undefined
    if (crc32(Buffer.from(JSON.stringify(fields.end))) !== fields.crc) return undefined
    return asPosition(fields.end)
  } catch {
    // Torn: as good as none.
    return undefined
  }
}

/* The lock. Node offers no flock: a file names the process that holds it, and one that is dead holds nothing. */

const LOCK_TRIES = 10
/** A lock that names nobody is being written, or its writer died in the act: it is looked at again so many times. */
const NAMELESS_LOOKS = 5
const LOOK_AGAIN_MS = 30

/** What this process itself holds: its own id in a lock says nothing. */
const heldHere = new WeakMap<Processes, Set<string>>()

async function lock(need: FolderNeeds): Promise<void> {
  const { processes, path } = need
  const held = heldHere.get(processes) ?? new Set()
  heldHere.set(processes, held)
  if (held.has(path)) throw storeErrors.create('STORE_LOCKED', `${path} is in use by this process`)
  held.add(path)
  try {
    await lockFile(need)
  } catch (error) {
    held.delete(path)
    throw error
  }
}

async function unlock({ fileSystem, processes, path }: FolderNeeds): Promise<void> {
  await fileSystem.unlink(`${path}/lock`)
  heldHere.get(processes)?.delete(path)
}

async function lockFile(need: FolderNeeds): Promise<void> {
  const { processes, path, clock } = need
  const lockPath = `${path}/lock`
  for (let tries = 1; tries <= LOCK_TRIES; tries++) {
    if (await tryCreate(need, lockPath)) return
    const holder = await holderOf(need, lockPath)
    if (holder === 'gone') continue
    if (holder === 'nameless' && tries < NAMELESS_LOOKS) {
      await sleep(clock, LOOK_AGAIN_MS)
      continue
    }
    // This process's own id is that of a dead one before it: a container starts every time with the same one.
    if (typeof holder === 'number' && holder !== processes.pid && processes.isAlive(holder)) {
      throw storeErrors.create('STORE_LOCKED', `${path} is in use by process ${holder}`)
    }
    if (await takeOver(need, lockPath, holder)) return
  }
  throw storeErrors.create('STORE_LOCKED', `${path} is being taken by another process`)
}

/**
 * Takes a dead process's lock. Of two that find it dead, one makes the guard; the other waits until it is gone and then
 * finds a lock that is alive. The guard of a process that died in between is removed.
 */
async function takeOver(need: FolderNeeds, lockPath: string, found: Holder): Promise<boolean> {
  const { fileSystem, processes, clock } = need
  const guard = `${lockPath}.takeover`
  if (!(await tryCreate(need, guard))) {
    const before = await holderOf(need, guard)
    await sleep(clock, LOOK_AGAIN_MS)
    const holder = await holderOf(need, guard)
    // One that was left by a process that died, or lost its name with the power, would keep everybody out for good.
    const isDead = typeof holder === 'number' && (holder === processes.pid || !processes.isAlive(holder))
    if (isDead || (holder === 'nameless' && before === 'nameless')) await fileSystem.unlink(guard)
    return false
  }
  try {
    if ((await holderOf(need, lockPath)) !== found) return false
    await fileSystem.unlink(lockPath)
    return await tryCreate(need, lockPath)
  } finally {
    await fileSystem.unlink(guard)
  }
}

async function tryCreate({ fileSystem, processes }: FolderNeeds, lockPath: string): Promise<boolean> {
  try {
    const file = await fileSystem.open(lockPath, 'createNew')
    try {
      await file.writev([Buffer.from(JSON.stringify({ pid: processes.pid }))], 0)
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** Who holds a lock: a process; one that did not come to write its name; nobody any more. */
type Holder = number | 'nameless' | 'gone'

async function holderOf({ fileSystem }: FolderNeeds, lockPath: string): Promise<Holder> {
  const bytes = await readFile(fileSystem, lockPath)
  if (bytes === undefined) return 'gone'
  try {
    const holder = field(JSON.parse(bytes.toString()), 'pid')
    return typeof holder === 'number' ? holder : 'nameless'
  } catch {
    return 'nameless'
  }
}
