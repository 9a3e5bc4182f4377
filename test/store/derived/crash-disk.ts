/**
 * A disk in memory that can crash: of what was written since a file's last sync any sectors may be missing, of names
 * changed since a folder's last sync any tail of the changes. Can also fail a chosen operation.
 */
import type { Random } from '../../../src/lib/prng.ts'
import type { FileSystem, OpenFile, OpenMode } from '../../../src/store/file-system.ts'

const SECTOR_BYTES = 512

/** Bytes that grow. */
class Content {
  #room = Buffer.alloc(0)
  length = 0

  get bytes(): Buffer {
    return this.#room.subarray(0, this.length)
  }

  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length
    if (end > this.#room.length) {
      const room = Buffer.alloc(Math.max(end, this.#room.length * 2))
      room.set(this.bytes)
      this.#room = room
    }
    if (end > this.length) this.length = end
    this.#room.set(bytes, at)
  }

  truncate(length: number): void {
    this.bytes.fill(0, Math.min(length, this.length))
    if (length > this.length) this.write(length, Buffer.alloc(0))
    this.length = length
  }

  copyOf(other: Content): void {
    this.#room = Buffer.from(other.bytes)
    this.length = other.length
  }
}

interface Node {
  readonly content: Content
  readonly synced: Content
  pending: { readonly at: number; readonly bytes: Buffer }[]
}

type NameChange = { readonly path: string; readonly node: Node | undefined }

export class CrashDisk implements FileSystem {
  #names = new Map<string, Node>()
  #syncedNames = new Map<string, Node>()
  #nameChanges: NameChange[] = []
  #folders = new Set<string>()
  #life = 0
  openFiles = 0
  mostOpenFiles = 0
  writes = 0
  syncs = 0
  /** Asked before every write and sync; what it returns is thrown. */
  fault: (operation: 'write' | 'sync', path: string) => Error | undefined = () => undefined

  /** Loses what a crash may lose. Files that were open are void. */
  crash(random: Random): void {
    this.#life++
    this.openFiles = 0
    const kept = random.integer(0, this.#nameChanges.length)
    const names = new Map(this.#syncedNames)
    for (const change of this.#nameChanges.slice(0, kept)) {
      if (change.node === undefined) names.delete(change.path)
      else names.set(change.path, change.node)
    }
    for (const node of new Set(names.values())) {
      for (const write of node.pending) {
        for (let from = 0; from < write.bytes.length; from += SECTOR_BYTES) {
          if (random.next() < 0.4) continue
          node.synced.write(write.at + from, write.bytes.subarray(from, from + SECTOR_BYTES))
        }
      }
      node.content.copyOf(node.synced)
      node.pending = []
    }
    this.#names = names
    this.#syncedNames = new Map(names)
    this.#nameChanges = []
  }

  /** The bytes of a file, to be damaged in place. */
  bytesOf(path: string): Buffer | undefined {
    return this.#names.get(path)?.content.bytes
  }

  paths(): string[] {
    return [...this.#names.keys()].sort()
  }

  /** The disk as a process sees it that begins now: after a crash nothing of what it asks for is done. */
  process(): FileSystem {
    const life = this.#life
    const alive = <Result>(work: () => Promise<Result>): Promise<Result> =>
      life === this.#life ? work() : Promise.reject(failure('EIO', 'a process that crashed'))
    return {
      open: (path, mode) => alive(() => this.open(path, mode)),
      mkdir: (path) => alive(() => this.mkdir(path)),
      readSync: (path, target, position) => this.readSync(path, target, position),
      readdir: (path) => alive(() => this.readdir(path)),
      stat: (path) => alive(() => this.stat(path)),
      rename: (from, to) => alive(() => this.rename(from, to)),
      unlink: (path) => alive(() => this.unlink(path)),
      removeFolder: (path) => alive(() => this.removeFolder(path)),
      fsyncFolder: (path) => alive(() => this.fsyncFolder(path)),
      space: () => this.space(),
    }
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    await this.#turn()
    let node = this.#names.get(path)
    if (node === undefined && (mode === 'read' || mode === 'write')) throw failure('ENOENT', path)
    if (node !== undefined && mode === 'createNew') throw failure('EEXIST', path)
    if (node === undefined) {
      node = { content: new Content(), synced: new Content(), pending: [] }
      this.#change(path, node)
    }
    this.openFiles++
    this.mostOpenFiles = Math.max(this.mostOpenFiles, this.openFiles)
    return this.#file(path, node)
  }

  #file(path: string, node: Node): OpenFile {
    const life = this.#life
    let isClosed = false
    const check = (): void => {
      if (isClosed) throw failure('EBADF', path)
      if (life !== this.#life) throw failure('EIO', `${path} of a process that crashed`)
    }
    return {
      pread: async (target, position) => {
        await Promise.resolve()
        check()
        const found = node.content.bytes.subarray(position, position + target.length)
        target.set(found)
        return found.length
      },
      writev: async (buffers, position) => {
        await Promise.resolve()
        check()
        this.#mayFail('write', path)
        this.writes++
        const bytes = Buffer.concat(buffers)
        node.pending.push({ at: position, bytes })
        node.content.write(position, bytes)
      },
      // Derived files are never written that way.
      writevDurable: () => Promise.reject(failure('ENOSYS', path)),
      fdatasync: async () => {
        await Promise.resolve()
        check()
        this.#mayFail('sync', path)
        this.syncs++
        for (const write of node.pending) node.synced.write(write.at, write.bytes)
        node.pending = []
      },
      truncate: async (length) => {
        await Promise.resolve()
        check()
        node.content.truncate(length)
      },
      size: async () => {
        await Promise.resolve()
        return node.content.length
      },
      close: async () => {
        await Promise.resolve()
        if (!isClosed && life === this.#life) this.openFiles--
        isClosed = true
      },
    }
  }

  async mkdir(path: string): Promise<void> {
    await this.#turn()
    this.#folders.add(path)
  }

  readSync(path: string, target: Uint8Array, position: number): number {
    const found = this.#names.get(path)?.content.bytes.subarray(position, position + target.length)
    if (found === undefined) throw failure('ENOENT', path)
    target.set(found)
    return found.length
  }

  async readdir(path: string): Promise<string[]> {
    await this.#turn()
    const prefix = `${path}/`
    const names = this.paths().filter((name) => name.startsWith(prefix) && !name.slice(prefix.length).includes('/'))
    return names.map((name) => name.slice(prefix.length))
  }

  async stat(path: string): Promise<{ readonly size: number; readonly isFolder: boolean } | undefined> {
    await this.#turn()
    const node = this.#names.get(path)
    if (node !== undefined) return { size: node.content.length, isFolder: false }
    return this.#folders.has(path) ? { size: 0, isFolder: true } : undefined
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#turn()
    const node = this.#names.get(from)
    if (node === undefined) throw failure('ENOENT', from)
    this.#change(to, node)
    this.#change(from, undefined)
  }

  async unlink(path: string): Promise<void> {
    await this.#turn()
    if (this.#names.has(path)) this.#change(path, undefined)
  }

  async removeFolder(path: string): Promise<void> {
    await this.#turn()
    for (const name of this.paths()) if (name.startsWith(`${path}/`)) this.#change(name, undefined)
    this.#folders.delete(path)
  }

  async fsyncFolder(path: string): Promise<void> {
    await this.#turn()
    const isIn = (change: NameChange): boolean => change.path.slice(0, change.path.lastIndexOf('/')) === path
    for (const change of this.#nameChanges.filter(isIn)) {
      if (change.node === undefined) this.#syncedNames.delete(change.path)
      else this.#syncedNames.set(change.path, change.node)
    }
    this.#nameChanges = this.#nameChanges.filter((change) => !isIn(change))
  }

  space(): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    return Promise.resolve({ totalBytes: 1e12, freeBytes: 1e12 })
  }

  /** What was asked for and not done when the disk crashed is not done. */
  async #turn(): Promise<void> {
    const life = this.#life
    await Promise.resolve()
    if (life !== this.#life) throw failure('EIO', 'a process that crashed')
  }

  #change(path: string, node: Node | undefined): void {
    if (node === undefined) this.#names.delete(path)
    else this.#names.set(path, node)
    this.#nameChanges.push({ path, node })
  }

  #mayFail(operation: 'write' | 'sync', path: string): void {
    const error = this.fault(operation, path)
    if (error !== undefined) throw error
  }
}

function failure(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}

/** The error of a disk without room. */
export const noRoom = (): Error => failure('ENOSPC', 'no space left on device')
/** The error of a disk that fails. */
export const broken = (): Error => failure('EIO', 'the disk failed')
