/** The machine's disk. The only file of the store that imports `node:fs`. */
import fs from 'node:fs'
import { dirname, resolve } from 'node:path'
import { kill, pid, platform } from 'node:process'
import { systemClock } from '../lib/clock.ts'
import type { FileSystem, OpenFile, OpenMode } from './file-system.ts'
import { SmallWrites } from './small-writes.ts'

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
  createNew: fs.constants.O_RDWR | fs.constants.O_CREAT | fs.constants.O_EXCL,
}

/** POSIX promises at least 16 buffers in one call, Linux and macOS take 1,024. */
const BUFFERS_PER_CALL = 1024

/** Not on macOS: there only fcntl(F_FULLFSYNC), which Node's fdatasync calls, reaches the medium. Windows has no such flag. */
const DURABLE_FLAGS = platform === 'linux' ? fs.constants.O_WRONLY | fs.constants.O_DSYNC : undefined

class NodeFile implements OpenFile {
  readonly #fd: number
  readonly #path: string
  /** Undefined where a write waits for the medium. */
  readonly #small: SmallWrites | undefined
  /** The same file, opened for durable writes at the first of them. */
  #durable: Promise<NodeFile> | undefined
  #closed = false

  constructor(fd: number, path: string, small: SmallWrites | undefined) {
    this.#fd = fd
    this.#path = path
    this.#small = small
  }

  async pread(target: Uint8Array, position: number): Promise<number> {
    let done = 0
    while (done < target.length) {
      const got = await new Promise<number>((resolve, reject) => {
        fs.read(this.#fd, target, done, target.length - done, position + done, (error, bytes) =>
          error === null ? resolve(bytes) : reject(error),
        )
      })
      if (got === 0) break
      done += got
    }
    return done
  }

  async writev(buffers: readonly Uint8Array[], position: number): Promise<void> {
    let at = position
    for (let from = 0; from < buffers.length; from += BUFFERS_PER_CALL) {
      const some = buffers.slice(from, from + BUFFERS_PER_CALL)
      let length = 0
      for (const buffer of some) length += buffer.length
      const written = await this.#write(some, length, at)
      if (written < length) await this.#finish(some, written, at + written)
      at += length
    }
  }

  async writevDurable(buffers: readonly Uint8Array[], position: number): Promise<void> {
    if (DURABLE_FLAGS === undefined) {
      await this.writev(buffers, position)
      await this.fdatasync()
      return
    }
    this.#durable ??= openFlags(this.#path, DURABLE_FLAGS, undefined)
    await (await this.#durable).writev(buffers, position)
  }

  /** A short write (a disk that fills, a signal): the rest is tried again and brings the reason, if there is one. */
  async #finish(buffers: readonly Uint8Array[], skip: number, position: number): Promise<void> {
    let at = position
    let left = skip
    for (const buffer of buffers) {
      if (left >= buffer.length) {
        left -= buffer.length
        continue
      }
      let rest = buffer.subarray(left)
      left = 0
      while (rest.length > 0) {
        const written = await this.#write([rest], rest.length, at)
        at += written
        rest = rest.subarray(written)
      }
    }
  }

  /** How many of the `length` bytes were written. */
  async #write(buffers: readonly Uint8Array[], length: number, position: number): Promise<number> {
    const small = this.#small
    if (small?.isAtOnce(length) === true) return small.measured(() => fs.writevSync(this.#fd, buffers, position))
    return new Promise((resolve, reject) => {
      const ended = (error: Error | null, written: number): void => (error === null ? resolve(written) : reject(error))
      const [first] = buffers
      if (buffers.length === 1 && first !== undefined) fs.write(this.#fd, first, 0, length, position, ended)
      else fs.writev(this.#fd, buffers, position, ended)
    })
  }

  fdatasync(): Promise<void> {
    const sync = (): Promise<void> => done((callback) => fs.fdatasync(this.#fd, callback))
    return this.#small === undefined ? sync() : this.#small.during(sync)
  }

  truncate(length: number): Promise<void> {
    return done((callback) => fs.ftruncate(this.#fd, length, callback))
  }

  size(): Promise<number> {
    return new Promise((resolve, reject) => {
      fs.fstat(this.#fd, (error, stats) => (error === null ? resolve(stats.size) : reject(error)))
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await done((callback) => fs.close(this.#fd, callback))
    await this.#durable?.then((file) => file.close())
  }
}

function openFlags(path: string, flags: number, small: SmallWrites | undefined): Promise<NodeFile> {
  return new Promise((resolve, reject) => {
    fs.open(path, flags, 0o644, (error, fd) =>
      error === null ? resolve(new NodeFile(fd, path, small)) : reject(error),
    )
  })
}

function done(call: (callback: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null || error === undefined ? resolve() : reject(error)))
  })
}

/** Undefined in place of ENOENT. */
async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Nodes that start at once make the folder above theirs together. */
async function mkdirUnlessThere(path: string): Promise<void> {
  try {
    await fs.promises.mkdir(path)
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST'
    if (!isThere || !(await fs.promises.stat(path)).isDirectory()) throw error
  }
}

export const nodeFileSystem: FileSystem = {
  open: (path, mode) => openFlags(path, FLAGS[mode], new SmallWrites(systemClock)),
  readSync(path, target, position) {
    const fd = fs.openSync(path, FLAGS.read)
    try {
      let done = 0
      while (done < target.length) {
        const got = fs.readSync(fd, target, done, target.length - done, position + done)
        if (got === 0) break
        done += got
      }
      return done
    } finally {
      fs.closeSync(fd)
    }
  },
  async mkdir(path) {
    // Folder by folder: Node's recursive mkdir never ends where a parent takes no folders (/proc on Linux).
    const missing: string[] = []
    let folder = resolve(path)
    let stats = await ifThere(fs.promises.stat(folder))
    for (; stats === undefined && folder !== dirname(folder); stats = await ifThere(fs.promises.stat(folder))) {
      missing.push(folder)
      folder = dirname(folder)
    }
    if (stats?.isDirectory() !== true) missing.push(folder)
    for (const name of missing.toReversed()) {
      await mkdirUnlessThere(name)
      // A folder is as durable as its name in the one above.
      await this.fsyncFolder(dirname(name))
    }
  },
  async readdir(path) {
    return (await fs.promises.readdir(path)).sort()
  },
  async stat(path) {
    const stats = await ifThere(fs.promises.stat(path))
    return stats === undefined ? undefined : { size: stats.size, isFolder: stats.isDirectory() }
  },
  rename: (from, to) => fs.promises.rename(from, to),
  async unlink(path) {
    await ifThere(fs.promises.unlink(path))
  },
  removeFolder: (path) => fs.promises.rm(path, { recursive: true, force: true }),
  async fsyncFolder(path) {
    // Windows opens no folders; its file systems journal names on their own.
    const fd = await ifThere(fs.promises.open(path, 'r')).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && (error.code === 'EISDIR' || error.code === 'EPERM'))
        return undefined
      throw error
    })
    if (fd === undefined) return
    try {
      await fd.sync()
    } finally {
      await fd.close()
    }
  },
  async space(path) {
    const stats = await fs.promises.statfs(path)
    return { totalBytes: stats.blocks * stats.bsize, freeBytes: stats.bavail * stats.bsize }
  },
}

/** Who runs on this machine: for the lock of a data folder. */
export interface Processes {
  readonly pid: number
  isAlive(pid: number): boolean
}

export const nodeProcesses: Processes = {
  pid,
  isAlive(other) {
    try {
      return kill(other, 0)
    } catch (error) {
      // Somebody else's process is alive too.
      return error instanceof Error && 'code' in error && error.code === 'EPERM'
    }
  },
}

const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id'

/** New at every start of the machine's operating system; null where it tells none. */
export function nodeBootId(): string | null {
  try {
    const text = fs.readFileSync(BOOT_ID_PATH, 'utf8').trim()
    return text === '' ? null : text
  } catch {
    return null
  }
}
