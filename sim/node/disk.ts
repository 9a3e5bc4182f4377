/**
 * The disk of a simulated machine: outlives its processes, and obeys the rules of `src/store/file-system.ts`. The
 * database of the tables (LevelDB in production, which is native code with threads of its own) lies on it as a map that
 * loses what LevelDB may lose.
 *
 *     view(clock)      the disk as one process sees it, in its time; gone with it
 *     powerLoss()      of what was not synced, every sector and every name is kept or lost on its own
 *     faults           how slow it is, what fails
 */
import type { Random } from '../../src/lib/prng.ts'
import type { Counts } from '../world/counts.ts'
import { Inode } from './inode.ts'
import { SimulatedDatabase } from './simulated-database.ts'

export interface DiskFaults {
  readonly maxSyncMs: number
  slowSyncRate: number
  readonly slowSyncMs: number
  /** Bytes of all files; more is ENOSPC. */
  capacityBytes: number
  /** Says that it is nearly full, and takes everything all the same. */
  isCramped: boolean
  isReadOnly: boolean
  /** So many syncs from now on fail with EIO. */
  failingSyncs: number
}

export const calmDisk = (): DiskFaults => ({
  maxSyncMs: 1,
  slowSyncRate: 0,
  slowSyncMs: 0,
  capacityBytes: Infinity,
  isCramped: false,
  isReadOnly: false,
  failingSyncs: 0,
})

type NameChange =
  | { readonly kind: 'create'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }

const KEPT = [0, 0.5, 1] as const

export class Disk {
  readonly random: Random
  readonly counts: Counts
  faults = calmDisk()
  readonly folders = new Set<string>([''])
  /** There was another one in its machine before. */
  isReplacement = false
  /** Bytes on it changed by themselves; what nobody reads is not repaired. */
  isRotten = false
  #names = new Map<string, Inode>()
  #mediumNames = new Map<string, Inode>()
  #pendingNames: NameChange[] = []
  readonly #databases = new Map<string, SimulatedDatabase>()

  constructor(random: Random, counts: Counts) {
    this.random = random
    this.counts = counts
  }

  get names(): ReadonlyMap<string, Inode> {
    return this.#names
  }

  get usedBytes(): number {
    let used = 0
    for (const { size } of this.#names.values()) used += size
    return used
  }

  database(folder: string): SimulatedDatabase {
    let database = this.#databases.get(folder)
    if (database === undefined) this.#databases.set(folder, (database = new SimulatedDatabase()))
    return database
  }

  change(change: NameChange): void {
    applyName(this.#names, change)
    this.#pendingNames.push(change)
  }

  syncNames(folder: string): void {
    const isHere = (change: NameChange): boolean =>
      folderOf(change.kind === 'rename' ? change.to : change.path) === folder
    for (const change of this.#pendingNames) if (isHere(change)) applyName(this.#mediumNames, change)
    this.#pendingNames = this.#pendingNames.filter((change) => !isHere(change))
  }

  powerLoss(): void {
    const { random } = this
    const inodes = new Set([...this.#names.values(), ...this.#mediumNames.values()])
    for (const change of this.#pendingNames) if (change.kind === 'create') inodes.add(change.inode)
    for (const inode of inodes) inode.crash(random, KEPT[random.integer(0, 2)] ?? 0)
    const keep = KEPT[random.integer(0, 2)] ?? 0
    for (const change of this.#pendingNames) if (random.next() < keep) applyName(this.#mediumNames, change)
    this.#pendingNames = []
    this.#names = new Map(this.#mediumNames)
    for (const database of this.#databases.values()) database.crash(random)
  }
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function applyName(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === 'create') names.set(change.path, change.inode)
  if (change.kind === 'unlink') names.delete(change.path)
  if (change.kind !== 'rename') return
  const inode = names.get(change.from)
  // Of two changes to a name the first may be lost: there is nothing to rename then.
  if (inode === undefined) return
  names.delete(change.from)
  names.set(change.to, inode)
}
