/**
 * Few big files under a folder, numbered from 0, written at any place. At most `maxOpenFiles` are open, whatever their
 * number; a file is closed only while nobody reads or writes it.
 */
import { errorMessage } from '../lib/errors.ts'
import { storeErrors } from './errors.ts'
import type { FileSystem, OpenFile } from './file-system.ts'

interface Handle {
  readonly opened: Promise<OpenFile>
  users: number
  /** Out of the table: whoever uses it last closes it. */
  isRetired: boolean
}

export interface PageFilesOptions {
  readonly fileSystem: FileSystem
  readonly folder: string
  /** Ends the names of the files. */
  readonly suffix: string
  readonly maxOpenFiles: number
}

export class PageFiles {
  readonly #options: PageFilesOptions
  /** Insertion order is age. */
  readonly #handles = new Map<number, Handle>()
  /** Written since their last sync. */
  readonly #unsynced = new Set<number>()
  readonly #known: Set<number>
  /** A file was made since the folder's last sync. */
  #folderUnsynced = false
  #isClosed = false

  private constructor(options: PageFilesOptions, known: Set<number>) {
    this.#options = options
    this.#known = known
  }

  static async open(options: PageFilesOptions): Promise<PageFiles> {
    const { fileSystem, folder, suffix } = options
    await fileSystem.mkdir(folder)
    const known = new Set<number>()
    for (const name of await fileSystem.readdir(folder)) {
      if (name.endsWith(suffix)) known.add(Number.parseInt(name, 10))
    }
    return new PageFiles(options, known)
  }

  get openCount(): number {
    return this.#handles.size
  }

  numbers(): number[] {
    return [...this.#known].sort((a, b) => a - b)
  }

  /** Reads into `target`; what lies beyond the end of the file is zeros. */
  async read(fileNumber: number, target: Buffer, position: number): Promise<void> {
    const got = this.#known.has(fileNumber) ? await this.#use(fileNumber, (file) => file.pread(target, position)) : 0
    if (got < target.length) target.fill(0, got)
  }

  async write(fileNumber: number, buffers: readonly Uint8Array[], position: number): Promise<void> {
    if (!this.#known.has(fileNumber)) {
      this.#known.add(fileNumber)
      this.#folderUnsynced = true
    }
    this.#unsynced.add(fileNumber)
    await this.#use(fileNumber, (file) => file.writev(buffers, position))
  }

  /** Makes everything written before durable. Rejects with `STORE_SYNC_FAILED`: nothing that was written may be believed. */
  async sync(): Promise<void> {
    const unsynced = [...this.#unsynced]
    const isFolderUnsynced = this.#folderUnsynced
    this.#unsynced.clear()
    this.#folderUnsynced = false
    try {
      for (const fileNumber of unsynced) await this.#use(fileNumber, (file) => file.fdatasync())
      if (isFolderUnsynced) await this.#options.fileSystem.fsyncFolder(this.#options.folder)
    } catch (cause) {
      throw storeErrors.create(
        'STORE_SYNC_FAILED',
        `${this.#options.folder} could not be synced: ${errorMessage(cause)}`,
        cause,
      )
    }
  }

  /** Removes a file. Whoever reads it at this moment still can. */
  async remove(fileNumber: number): Promise<void> {
    this.#known.delete(fileNumber)
    this.#unsynced.delete(fileNumber)
    const handle = this.#handles.get(fileNumber)
    this.#handles.delete(fileNumber)
    if (handle !== undefined) await retire(handle)
    await this.#options.fileSystem.unlink(this.#path(fileNumber))
  }

  async bytesOnDisk(): Promise<number> {
    let bytes = 0
    for (const fileNumber of this.#known) {
      bytes += (await this.#options.fileSystem.stat(this.#path(fileNumber)))?.size ?? 0
    }
    return bytes
  }

  /** Who uses a file at this moment still can; nobody after that. */
  async close(): Promise<void> {
    this.#isClosed = true
    const handles = [...this.#handles.values()]
    this.#handles.clear()
    for (const handle of handles) await retire(handle)
  }

  async #use<T>(fileNumber: number, work: (file: OpenFile) => Promise<T>): Promise<T> {
    if (this.#isClosed) throw storeErrors.create('STORE_CLOSED', `${this.#options.folder} is closed`)
    const handle = this.#handle(fileNumber)
    handle.users++
    try {
      return await work(await handle.opened)
    } finally {
      handle.users--
      if (handle.isRetired) await retire(handle)
      else await this.#closeOldest()
    }
  }

  #handle(fileNumber: number): Handle {
    let handle = this.#handles.get(fileNumber)
    if (handle === undefined) {
      const opened = this.#options.fileSystem.open(this.#path(fileNumber), 'create')
      handle = { opened, users: 0, isRetired: false }
      // A file that could not be opened is tried anew next time.
      opened.catch(() => this.#handles.delete(fileNumber))
    } else {
      this.#handles.delete(fileNumber)
    }
    this.#handles.set(fileNumber, handle)
    return handle
  }

  async #closeOldest(): Promise<void> {
    if (this.#handles.size <= this.#options.maxOpenFiles) return
    for (const [fileNumber, handle] of this.#handles) {
      if (handle.users > 0) continue
      this.#handles.delete(fileNumber)
      await retire(handle)
      return
    }
  }

  #path(fileNumber: number): string {
    return `${this.#options.folder}/${String(fileNumber).padStart(8, '0')}${this.#options.suffix}`
  }
}

/** Closes a file that is out of the table, once nobody uses it. */
async function retire(handle: Handle): Promise<void> {
  handle.isRetired = true
  if (handle.users === 0) await (await handle.opened).close()
}
