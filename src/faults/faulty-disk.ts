/**
 * A disk with faults in front of it: operations that take longer, go through a bottleneck, or fail. What is to happen is a
 * list of faults, replaced as a whole while the node runs; every operation meets all faults of its kind and path.
 *
 *     a disk 50 times slower      { on: 'sync', delayMs: 5 }
 *     a disk of 2 MB/s            { on: 'write', bytesPerSecond: 2_000_000 }
 *     a failed fsync              { on: 'sync', code: 'EIO', path: 'commitlog', times: 1 }
 *     a full disk                 { on: 'write', code: 'ENOSPC' }
 *     a read-only file system     { on: 'write', code: 'EROFS' }, { on: 'name', code: 'EROFS' }
 */
import { type Clock, sleep } from '../lib/clock.ts'
import type { FileSystem, OpenFile, OpenMode } from '../store/file-system.ts'

/** `name`: names that are made, changed or removed. */
export type DiskOperation = 'read' | 'write' | 'sync' | 'name'

export interface DiskFault {
  readonly on: DiskOperation
  /** Met only by paths that contain this. Default: every path. */
  readonly path?: string
  /** How many operations meet it; after that it is over. Default: all. */
  readonly times?: number
  /** How much longer the operation takes. */
  readonly delayMs?: number
  /** Operations go one behind the other through a bottleneck of this width. */
  readonly bytesPerSecond?: number
  /** The operation is not done and fails with this code of the system. */
  readonly code?: string
}

interface Active {
  readonly fault: DiskFault
  left: number
  /** When the bottleneck is free again. */
  freeAtMs: number
}

/** Over the IPC channel of `faulty-broker.ts`, and back once the faults hold. */
export interface DiskMessage {
  readonly type: 'disk'
  readonly faults: readonly DiskFault[]
}

export function isDiskMessage(message: unknown): message is DiskMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'disk'
}

export class FaultyDisk implements FileSystem {
  readonly #disk: FileSystem
  readonly #clock: Clock
  #active: readonly Active[] = []

  constructor(disk: FileSystem, clock: Clock) {
    this.#disk = disk
    this.#clock = clock
  }

  /** From now on these faults, and no others. What waits already waits on. */
  set(faults: readonly DiskFault[]): void {
    this.#active = faults.map((fault) => ({ fault, left: fault.times ?? Infinity, freeAtMs: 0 }))
  }

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    if (mode === 'create' || mode === 'createNew') await this.#meet('name', path, 0)
    return this.#wrap(await this.#disk.open(path, mode), path)
  }

  async mkdir(path: string): Promise<void> {
    await this.#meet('name', path, 0)
    await this.#disk.mkdir(path)
  }

  readSync(path: string, target: Uint8Array, position: number): number {
    this.#failIfTold('read', path)
    return this.#disk.readSync(path, target, position)
  }

  readdir(path: string): Promise<string[]> {
    return this.#disk.readdir(path)
  }

  stat(path: string): Promise<{ readonly size: number; readonly isFolder: boolean } | undefined> {
    return this.#disk.stat(path)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#meet('name', from, 0)
    await this.#disk.rename(from, to)
  }

  async unlink(path: string): Promise<void> {
    await this.#meet('name', path, 0)
    await this.#disk.unlink(path)
  }

  async removeFolder(path: string): Promise<void> {
    await this.#meet('name', path, 0)
    await this.#disk.removeFolder(path)
  }

  async fsyncFolder(path: string): Promise<void> {
    await this.#meet('sync', path, 0)
    await this.#disk.fsyncFolder(path)
  }

  space(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    return this.#disk.space(path)
  }

  #wrap(file: OpenFile, path: string): OpenFile {
    return {
      pread: async (target, position) => {
        await this.#meet('read', path, target.length)
        return file.pread(target, position)
      },
      writev: async (buffers, position) => {
        await this.#meet('write', path, lengthOf(buffers))
        await file.writev(buffers, position)
      },
      writevDurable: async (buffers, position) => {
        await this.#meet('write', path, lengthOf(buffers))
        try {
          await this.#meet('sync', path, 0)
        } catch (error) {
          // A sync fails after the write: the bytes are there to be seen, and nobody may believe them.
          await file.writev(buffers, position)
          throw error
        }
        await file.writevDurable(buffers, position)
      },
      fdatasync: async () => {
        await this.#meet('sync', path, 0)
        await file.fdatasync()
      },
      truncate: async (length) => {
        await this.#meet('write', path, 0)
        await file.truncate(length)
      },
      size: () => file.size(),
      close: () => file.close(),
    }
  }

  async #meet(on: DiskOperation, path: string, bytes: number): Promise<void> {
    const waitMs = this.#waitMs(on, path, bytes)
    if (waitMs > 0) await sleep(this.#clock, waitMs)
    this.#failIfTold(on, path)
  }

  #waitMs(on: DiskOperation, path: string, bytes: number): number {
    const nowMs = this.#clock.monotonicMs()
    let waitMs = 0
    for (const active of this.#active) {
      const { fault } = active
      if (fault.code !== undefined || !meets(active, on, path)) continue
      active.left--
      waitMs = Math.max(waitMs, fault.delayMs ?? 0)
      if (fault.bytesPerSecond === undefined) continue
      active.freeAtMs = Math.max(active.freeAtMs, nowMs) + (bytes * 1_000) / fault.bytesPerSecond
      waitMs = Math.max(waitMs, active.freeAtMs - nowMs)
    }
    return waitMs
  }

  #failIfTold(on: DiskOperation, path: string): void {
    const active = this.#active.find((one) => one.fault.code !== undefined && meets(one, on, path))
    if (active === undefined) return
    active.left--
    const { code = '' } = active.fault
    throw Object.assign(new Error(`${code}: injected, ${on} ${path}`), { code, path })
  }
}

function meets({ fault, left }: Active, on: DiskOperation, path: string): boolean {
  return left > 0 && fault.on === on && (fault.path === undefined || path.includes(fault.path))
}

function lengthOf(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, { length }) => sum + length, 0)
}
