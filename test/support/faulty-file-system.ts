/**
 * A disk in memory that does what a real one may do at the worst moment. Two layers: what the processes see (the cache),
 * and what is on the medium. A sync brings the one file to the medium, `fsyncFolder` the names of one folder.
 *
 *     kill()        the process ends; the cache lives on
 *     crash(random) the power fails: of what was not synced every piece is kept or lost on its own, in any order, and
 *                   writes are torn at sectors; names created, renamed and removed are kept or lost one by one
 *     crashAfter(n) the n-th change from now on is the last one that is (perhaps) done; everything after it hangs
 *     fail(…)       operations fail with an error code; a failed sync drops what it should have synced, and the cache
 *                   goes on showing it, as Linux does
 *     capacity      ENOSPC, with a partial write first
 *     flip(…)       a bit rots
 */
import type { Random } from '../../src/lib/prng.ts'
import type { FileSystem, OpenFile, OpenMode } from '../../src/store/file-system.ts'

export type Operation =
  | 'open'
  | 'pread'
  | 'writev'
  | 'fdatasync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'mkdir'
  | 'fsyncFolder'

/** What changes something, and what makes it durable: where a crash is worth trying. */
const CHANGES: ReadonlySet<Operation> = new Set([
  'open',
  'writev',
  'fdatasync',
  'truncate',
  'rename',
  'unlink',
  'fsyncFolder',
])

const SECTOR_BYTES = 512

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer; isDurable?: boolean }
  | { readonly kind: 'truncate'; readonly length: number }

interface Inode {
  /** What processes see. */
  cache: Buffer
  /** What is on the medium. */
  medium: Buffer
  /** What the cache has and the medium has not, oldest first. */
  pending: Change[]
}

type NameChange =
  | { readonly kind: 'create'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'unlink'; readonly path: string }

interface Failure {
  readonly operation: Operation
  readonly code: string
  readonly path: RegExp
  times: number
}

export class FaultyFileSystem implements FileSystem {
  /** Bytes of all files together; more is ENOSPC. */
  capacityBytes = Infinity
  /** Changes done so far. */
  changeCount = 0
  /** Called before an operation: a test may hold it back. */
  before: ((operation: Operation, path: string) => Promise<void> | undefined) | undefined
  #names = new Map<string, Inode>()
  #mediumNames = new Map<string, Inode>()
  #pendingNames: NameChange[] = []
  #folders = new Set<string>(['', '.'])
  #failures: Failure[] = []
  #crashAt = Infinity
  #life = 0
  #openFiles = 0
  #down: (() => void) | undefined
  /** Resolves when an operation met the crash that `crashAfter` ordered. */
  readonly whenDown: Promise<void>

  constructor() {
    this.whenDown = new Promise((resolve) => (this.#down = resolve))
  }

  /* Faults. */

  /** From now on, `n` more changes are done; the one after hangs, and with it everything else. */
  crashAfter(n: number): void {
    this.#crashAt = this.changeCount + n
  }

  get isDown(): boolean {
    return this.changeCount >= this.#crashAt
  }

  get openFiles(): number {
    return this.#openFiles
  }

  /** The next `times` operations of this kind on paths that match fail. */
  fail(operation: Operation, code: string, { path = /./, times = 1 }: { path?: RegExp; times?: number } = {}): void {
    this.#failures.push({ operation, code, path, times })
  }

  heal(): void {
    this.#failures = []
  }

  /** The process ends at once. Its open files are closed; what it wrote stays, unsynced as it was. */
  kill(): void {
    this.#life++
    this.#crashAt = Infinity
    this.#failures = []
    this.#openFiles = 0
    this.before = undefined
  }

  /** The power fails. `keep` is the chance of a piece to survive; undefined draws one for each file. */
  crash(random: Random, keep?: number): void {
    this.kill()
    const inodes = new Set([...this.#names.values(), ...this.#mediumNames.values()])
    for (const change of this.#pendingNames) if (change.kind === 'create') inodes.add(change.inode)
    for (const inode of inodes) {
      const chance = keep ?? [0, 0.5, 1][random.integer(0, 2)] ?? 0
      for (const change of inode.pending) tear(inode, change, () => random.next() < chance)
      inode.pending = []
      inode.cache = Buffer.from(inode.medium)
    }
    const chance = keep ?? [0, 0.5, 1][random.integer(0, 2)] ?? 0
    for (const change of this.#pendingNames) {
      if (random.next() < chance) applyName(this.#mediumNames, change)
    }
    this.#pendingNames = []
    this.#names = new Map(this.#mediumNames)
  }

  /** Flips one bit, on the medium and in the cache. */
  flip(path: string, position: number, bit: number): void {
    const inode = this.#inode(path)
    for (const bytes of [inode.cache, inode.medium]) {
      if (position < bytes.length) bytes[position] = (bytes[position] ?? 0) ^ (1 << bit)
    }
  }

  /* A look from outside. */

  paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  content(path: string): Buffer {
    return Buffer.from(this.#inode(path).cache)
  }

  /** Sets a file's content, durably. */
  put(path: string, content: Buffer): void {
    const inode: Inode = { cache: Buffer.from(content), medium: Buffer.from(content), pending: [] }
    this.#names.set(path, inode)
    this.#mediumNames.set(path, inode)
  }

  /** Removes a file, durably. */
  remove(path: string): void {
    this.#names.delete(path)
    this.#mediumNames.delete(path)
  }

  /** A disk of its own with the same content. */
  copy(): FaultyFileSystem {
    const other = new FaultyFileSystem()
    const twins = new Map<Inode, Inode>()
    const twin = (inode: Inode): Inode => {
      let made = twins.get(inode)
      if (made === undefined) {
        made = { cache: Buffer.from(inode.cache), medium: Buffer.from(inode.medium), pending: [...inode.pending] }
        twins.set(inode, made)
      }
      return made
    }
    for (const [path, inode] of this.#names) other.#names.set(path, twin(inode))
    for (const [path, inode] of this.#mediumNames) other.#mediumNames.set(path, twin(inode))
    other.#pendingNames = this.#pendingNames.map((change) =>
      change.kind === 'create' ? { ...change, inode: twin(change.inode) } : change,
    )
    other.#folders = new Set(this.#folders)
    return other
  }

  /* The port. */

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    const mayMake = mode === 'create' || mode === 'createNew'
    await this.#enter('open', path, mayMake && !this.#names.has(path))
    // Looked at now, not before the wait: of two that make a file one finds it there.
    const found = this.#names.get(path)
    if (found !== undefined && mode === 'createNew') throw fault('EEXIST', path)
    if (found !== undefined) return this.#file(path, found)
    if (!mayMake || !this.#folders.has(folderOf(path))) throw fault('ENOENT', path)
    const inode: Inode = { cache: Buffer.alloc(0), medium: Buffer.alloc(0), pending: [] }
    this.#name({ kind: 'create', path, inode })
    return this.#file(path, inode)
  }

  async mkdir(path: string): Promise<void> {
    await this.#enter('mkdir', path, false)
    const parts = path.split('/')
    for (let length = 1; length <= parts.length; length++) this.#folders.add(parts.slice(0, length).join('/'))
  }

  readSync(path: string, target: Uint8Array, position: number): number {
    return readAt(this.#inode(path).cache, target, position)
  }

  async readdir(path: string): Promise<string[]> {
    await Promise.resolve()
    if (!this.#folders.has(path)) throw fault('ENOENT', path)
    const names = new Set<string>()
    for (const other of [...this.#names.keys(), ...this.#folders]) {
      if (folderOf(other) === path && other !== path) names.add(other.slice(path.length + 1))
    }
    return [...names].filter((name) => name !== '').sort()
  }

  async stat(path: string): Promise<{ size: number; isFolder: boolean } | undefined> {
    await Promise.resolve()
    if (this.#folders.has(path)) return { size: 0, isFolder: true }
    const inode = this.#names.get(path)
    return inode === undefined ? undefined : { size: inode.cache.length, isFolder: false }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#enter('rename', from, true)
    if (!this.#names.has(from)) throw fault('ENOENT', from)
    this.#name({ kind: 'rename', from, to })
  }

  async unlink(path: string): Promise<void> {
    if (!this.#names.has(path)) return
    await this.#enter('unlink', path, true)
    this.#name({ kind: 'unlink', path })
  }

  async removeFolder(path: string): Promise<void> {
    for (const other of this.paths()) if (other.startsWith(`${path}/`)) await this.unlink(other)
    for (const folder of this.#folders)
      if (folder === path || folder.startsWith(`${path}/`)) this.#folders.delete(folder)
  }

  async fsyncFolder(path: string): Promise<void> {
    await this.#enter('fsyncFolder', path, true)
    const rest: NameChange[] = []
    for (const change of this.#pendingNames) {
      const isHere = change.kind === 'rename' ? folderOf(change.to) === path : folderOf(change.path) === path
      if (isHere) applyName(this.#mediumNames, change)
      else rest.push(change)
    }
    this.#pendingNames = rest
  }

  async space(): Promise<{ totalBytes: number; freeBytes: number }> {
    await Promise.resolve()
    const totalBytes = Math.min(this.capacityBytes, 2 ** 40)
    return { totalBytes, freeBytes: Math.max(0, totalBytes - this.#usedBytes()) }
  }

  /* Within. */

  #file(path: string, inode: Inode): OpenFile {
    const life = this.#life
    let isOpen = true
    this.#openFiles++
    const enter = async (operation: Operation, isChange: boolean): Promise<void> => {
      if (life !== this.#life) return hang()
      if (!isOpen) throw fault('EBADF', path)
      await this.#enter(operation, path, isChange)
    }
    const file: OpenFile = {
      pread: async (target, position) => {
        await enter('pread', false)
        return readAt(inode.cache, target, position)
      },
      writev: async (buffers, position) => {
        await enter('writev', true)
        const bytes = Buffer.concat(buffers)
        const room = this.capacityBytes - this.#usedBytes()
        const grows = Math.max(0, position + bytes.length - inode.cache.length)
        const taken = grows > room ? Math.max(0, bytes.length - (grows - room)) : bytes.length
        apply(inode, { kind: 'write', position, bytes: bytes.subarray(0, taken) })
        if (taken < bytes.length) throw fault('ENOSPC', path)
      },
      writevDurable: async (buffers, position) => {
        await file.writev(buffers, position)
        const change = inode.pending.at(-1)
        try {
          await enter('fdatasync', true)
        } catch (error) {
          inode.pending = inode.pending.filter((other) => other !== change)
          throw error
        }
        if (change?.kind === 'write') change.isDurable = true
      },
      fdatasync: async () => {
        try {
          await enter('fdatasync', true)
        } catch (error) {
          // What could not be written back is marked clean: the cache shows it, the medium never gets it.
          inode.pending = []
          throw error
        }
        inode.medium = Buffer.from(inode.cache)
        inode.pending = []
      },
      truncate: async (length) => {
        await enter('truncate', true)
        apply(inode, { kind: 'truncate', length })
      },
      size: async () => {
        await enter('pread', false)
        return inode.cache.length
      },
      close: async () => {
        await Promise.resolve()
        if (!isOpen) return
        isOpen = false
        if (life === this.#life) this.#openFiles--
      },
    }
    return file
  }

  async #enter(operation: Operation, path: string, isChange: boolean): Promise<void> {
    const life = this.#life
    await this.before?.(operation, path)
    await Promise.resolve()
    if (this.isDown) this.#down?.()
    if (this.isDown || life !== this.#life) return hang()
    const failure = this.#failures.find((one) => one.operation === operation && one.times > 0 && one.path.test(path))
    if (failure !== undefined) {
      failure.times--
      throw fault(failure.code, path)
    }
    if (isChange && CHANGES.has(operation)) this.changeCount++
  }

  #name(change: NameChange): void {
    applyName(this.#names, change)
    this.#pendingNames.push(change)
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw fault('ENOENT', path)
    return inode
  }

  #usedBytes(): number {
    let used = 0
    for (const inode of new Set(this.#names.values())) used += inode.cache.length
    return used
  }
}

function apply(inode: Inode, change: Change): void {
  if (change.kind === 'write' && change.bytes.length === 0) return
  inode.cache = changed(inode.cache, change)
  inode.pending.push(change)
}

function changed(content: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') {
    const cut = Buffer.alloc(change.length)
    content.copy(cut, 0, 0, change.length)
    return cut
  }
  const { position, bytes } = change
  const grown = position + bytes.length > content.length ? Buffer.alloc(position + bytes.length) : Buffer.from(content)
  if (grown.length !== content.length) content.copy(grown)
  bytes.copy(grown, position)
  return grown
}

/** Brings the sectors of a change to the medium that survive. */
function tear(inode: Inode, change: Change, survives: () => boolean): void {
  if (change.kind === 'truncate') {
    if (survives()) inode.medium = changed(inode.medium, change)
    return
  }
  const { position, bytes } = change
  for (let from = 0; from < bytes.length; ) {
    const until = Math.min(bytes.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES))
    if (change.isDurable === true || survives()) {
      inode.medium = changed(inode.medium, {
        kind: 'write',
        position: position + from,
        bytes: bytes.subarray(from, until),
      })
    }
    from = until
  }
}

function applyName(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === 'create') names.set(change.path, change.inode)
  if (change.kind === 'unlink') names.delete(change.path)
  if (change.kind === 'rename') {
    const inode = names.get(change.from)
    // Of two changes to a name the first may be lost: there is nothing to rename then.
    if (inode === undefined) return
    names.delete(change.from)
    names.set(change.to, inode)
  }
}

function readAt(content: Buffer, target: Uint8Array, position: number): number {
  const got = Math.max(0, Math.min(target.length, content.length - position))
  target.set(content.subarray(position, position + got))
  return got
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}

function fault(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}

function hang(): Promise<never> {
  return new Promise(() => undefined)
}
