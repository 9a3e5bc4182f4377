/** A simulated disk as one process sees it: the ports of the store. Everything takes time, and ends with the process. */
import type { OpenDatabase } from '../../src/store/database.ts'
import type { FileSystem, OpenFile } from '../../src/store/file-system.ts'
import type { ProcessClock } from '../world/process-clock.ts'
import type { Scheduler } from '../world/scheduler.ts'
import { folderOf, type Disk } from './disk.ts'
import type { Dropped } from './dropped.ts'
import { Inode } from './inode.ts'
import type { Sync, WriteLog } from './write-log.ts'

export interface DiskViewNeeds {
  readonly disk: Disk
  /** Is told what is written and synced. */
  readonly writes: WriteLog
  /** Is told what goes. */
  readonly dropped: Dropped
  readonly clock: ProcessClock
  readonly scheduler: Scheduler
  /** Asked before every change: whether the process ends right here. */
  readonly ambush: () => boolean
}

const READ_MS = 0.02
const WRITE_MS = 0.03
/** Free on a disk that says that it is nearly full. */
const CRAMPED_BYTES = 1024

export class DiskView implements FileSystem {
  readonly #need: DiskViewNeeds
  readonly #disk: Disk

  constructor(need: DiskViewNeeds) {
    this.#need = need
    this.#disk = need.disk
  }

  readonly openDatabase: OpenDatabase = async (folder) => {
    await this.#after(READ_MS)
    return this.#disk
      .database(folder)
      .view((isWrite) => (isWrite ? this.#changing(folder, WRITE_MS) : this.#after(READ_MS)))
  }

  async open(path: string, mode: 'read' | 'write' | 'create' | 'createNew'): Promise<OpenFile> {
    const mayMake = mode === 'create' || mode === 'createNew'
    await this.#after(READ_MS)
    const found = this.#disk.names.get(path)
    if (found !== undefined && mode === 'createNew') throw fault('EEXIST', path)
    if (found !== undefined) return this.#file(path, found)
    if (!mayMake || !this.#disk.folders.has(folderOf(path))) throw fault('ENOENT', path)
    await this.#changing(path, 0)
    const again = this.#disk.names.get(path)
    if (again !== undefined) return this.#file(path, again)
    const inode = new Inode()
    this.#disk.change({ kind: 'create', path, inode })
    return this.#file(path, inode)
  }

  async mkdir(path: string): Promise<void> {
    await this.#changing(path, WRITE_MS)
    const parts = path.split('/')
    for (let length = 1; length <= parts.length; length++) this.#disk.folders.add(parts.slice(0, length).join('/'))
  }

  readSync(path: string, target: Uint8Array, position: number): number {
    const inode = this.#disk.names.get(path)
    if (inode === undefined) throw fault('ENOENT', path)
    return readAt(inode, target, position)
  }

  async readdir(path: string): Promise<string[]> {
    await this.#after(READ_MS)
    const { folders, names } = this.#disk
    if (!folders.has(path)) throw fault('ENOENT', path)
    const found = new Set<string>()
    for (const other of [...names.keys(), ...folders]) {
      if (folderOf(other) === path && other !== path) found.add(other.slice(path.length + 1))
    }
    return [...found].filter((name) => name !== '').sort()
  }

  async stat(path: string): Promise<{ size: number; isFolder: boolean } | undefined> {
    await this.#after(READ_MS)
    if (this.#disk.folders.has(path)) return { size: 0, isFolder: true }
    const inode = this.#disk.names.get(path)
    return inode === undefined ? undefined : { size: inode.size, isFolder: false }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#changing(from, WRITE_MS)
    if (!this.#disk.names.has(from)) throw fault('ENOENT', from)
    this.#disk.change({ kind: 'rename', from, to })
    if (to.endsWith('/reset-state')) this.#disk.counts.add('follower filled behind the start of the log')
  }

  async unlink(path: string): Promise<void> {
    await this.#changing(path, WRITE_MS)
    if (this.#disk.names.has(path)) this.#unlink(path)
  }

  async removeFolder(path: string): Promise<void> {
    await this.#changing(path, WRITE_MS)
    for (const other of this.#disk.names.keys()) {
      if (other.startsWith(`${path}/`)) this.#unlink(other)
    }
    for (const folder of this.#disk.folders) {
      if (folder === path || folder.startsWith(`${path}/`)) this.#disk.folders.delete(folder)
    }
  }

  async fsyncFolder(path: string): Promise<void> {
    await this.#syncing(path)
    this.#disk.syncNames(path)
  }

  async space(): Promise<{ totalBytes: number; freeBytes: number }> {
    await this.#after(READ_MS)
    const { capacityBytes, isCramped } = this.#disk.faults
    const totalBytes = Math.min(capacityBytes, isCramped ? this.#disk.usedBytes + CRAMPED_BYTES : 2 ** 40)
    return { totalBytes, freeBytes: Math.max(0, totalBytes - this.#disk.usedBytes) }
  }

  #file(path: string, inode: Inode): OpenFile {
    let isOpen = true
    const check = (): void => {
      if (!isOpen) throw fault('EBADF', path)
    }
    return {
      pread: async (target, position) => {
        await this.#after(READ_MS)
        check()
        return readAt(inode, target, position)
      },
      writev: async (buffers, position) => {
        check()
        await this.#changing(path, WRITE_MS)
        this.#write(path, inode, Buffer.concat(buffers), position)
      },
      writevDurable: async (buffers, position) => {
        check()
        await this.#changing(path, WRITE_MS)
        await this.#settling(path, this.#write(path, inode, Buffer.concat(buffers), position))
      },
      fdatasync: async () => {
        check()
        await this.#changing(path, 0)
        const medium = inode.sync()
        const told = this.#need.writes.syncing(path)
        await this.#settling(path, [medium, told])
      },
      truncate: async (length) => {
        check()
        await this.#changing(path, WRITE_MS)
        inode.truncate(length)
        this.#need.writes.cut(path, length)
      },
      size: async () => {
        await this.#after(READ_MS)
        return inode.size
      },
      close: async () => {
        await this.#after(READ_MS)
        isOpen = false
      },
    }
  }

  #unlink(path: string): void {
    this.#need.dropped.unlinking(path, this.#disk)
    this.#disk.change({ kind: 'unlink', path })
    this.#need.writes.gone(path)
  }

  #write(path: string, inode: Inode, bytes: Buffer, position: number): readonly Sync[] {
    const { capacityBytes } = this.#disk.faults
    const grows = Math.max(0, position + bytes.length - inode.size)
    const room = capacityBytes === Infinity ? Infinity : capacityBytes - this.#disk.usedBytes
    if (grows <= room) return [inode.write(position, bytes), this.#need.writes.wrote(path, position, bytes)]
    // What fits is written: after a rejection any part may be there.
    inode.write(position, bytes.subarray(0, Math.max(0, bytes.length - (grows - Math.max(0, room)))))
    this.#disk.counts.add('write to a full disk')
    throw fault('ENOSPC', path)
  }

  /** What a change waits for: its time, and whether there is anybody left to do it. */
  async #changing(path: string, delayMs: number): Promise<void> {
    if (this.#need.ambush()) return new Promise(() => undefined)
    await this.#after(delayMs)
    if (!this.#disk.faults.isReadOnly) return
    this.#disk.counts.add('write to a read-only disk')
    throw fault('EROFS', path)
  }

  /** What is on its way reaches the medium, or is lost. */
  async #settling(path: string, syncs: readonly Sync[]): Promise<void> {
    await this.#syncing(path, syncs)
    for (const { settle } of syncs) settle()
  }

  async #syncing(path: string, syncs: readonly Sync[] = []): Promise<void> {
    const { random, faults, counts } = this.#disk
    const isSlow = random.next() < faults.slowSyncRate
    if (isSlow) counts.add('slow sync')
    await this.#after(random.next() * (isSlow ? faults.slowSyncMs : faults.maxSyncMs))
    if (faults.failingSyncs <= 0) return
    faults.failingSyncs--
    counts.add('failed sync')
    for (const { lose } of syncs) lose()
    throw fault('EIO', path)
  }

  #after(delayMs: number): Promise<void> {
    const { scheduler, clock } = this.#need
    return new Promise((resolve) => {
      scheduler.after(delayMs, () => clock.input(resolve))
    })
  }
}

function readAt(inode: Inode, target: Uint8Array, position: number): number {
  const { bytes } = inode
  const got = Math.max(0, Math.min(target.length, bytes.length - position))
  target.set(bytes.subarray(position, position + got))
  return got
}

function fault(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
