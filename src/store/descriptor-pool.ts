/**
 * Open files of the log for reading, bounded: the ones used last stay open. A lack of descriptors is answered by closing
 * the idle ones; then the reader is told, never the writer.
 */
import { type Clock, sleep } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'
import type { FileSystem, OpenFile } from './file-system.ts'

interface Descriptor {
  readonly file: Promise<OpenFile>
  users: number
  /** No longer in the pool: whoever uses it last closes it. */
  isForgotten: boolean
}

export interface DescriptorPoolNeeds {
  readonly fileSystem: FileSystem
  readonly clock: Clock
  /** The path of the file that begins at an offset. */
  readonly pathOf: (offset: number) => string
  readonly maxOpen: number
}

const TRIES = 4
const RETRY_MS = 20

export class DescriptorPool {
  readonly #need: DescriptorPoolNeeds
  /** By offset of the file's first byte; in order of use, oldest first. */
  readonly #open = new Map<number, Descriptor>()

  constructor(need: DescriptorPoolNeeds) {
    this.#need = need
  }

  get openCount(): number {
    return this.#open.size
  }

  /** Runs `work` with the file open. Rejects with the error of opening it, too. */
  async use<T>(offset: number, work: (file: OpenFile) => Promise<T>): Promise<T> {
    const descriptor = this.#open.get(offset) ?? { file: this.#openFile(offset), users: 0, isForgotten: false }
    // Taken out and put back: the map's order is the order of use.
    this.#open.delete(offset)
    this.#open.set(offset, descriptor)
    descriptor.users++
    try {
      return await work(await descriptor.file)
    } catch (error) {
      // One that never opened is not worth keeping.
      await descriptor.file.catch(() => this.#drop(offset, descriptor))
      throw error
    } finally {
      descriptor.users--
      if (descriptor.isForgotten) this.#release(descriptor)
      else this.#shrink(this.#need.maxOpen)
    }
  }

  /** The file is gone or was replaced: the next use opens it anew. */
  forget(offset: number): void {
    const descriptor = this.#open.get(offset)
    if (descriptor !== undefined) this.#drop(offset, descriptor)
  }

  closeIdle(): void {
    this.#shrink(0)
  }

  /** Closes all; those in use are closed by their users. */
  close(): void {
    for (const [offset, descriptor] of this.#open) this.#drop(offset, descriptor)
  }

  async #openFile(offset: number): Promise<OpenFile> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#need.fileSystem.open(this.#need.pathOf(offset), 'read')
      } catch (error) {
        const code = errorCode(error)
        if ((code !== 'EMFILE' && code !== 'ENFILE') || tries === TRIES) throw error
        this.closeIdle()
        await sleep(this.#need.clock, RETRY_MS)
      }
    }
  }

  #shrink(to: number): void {
    for (const [offset, descriptor] of this.#open) {
      if (this.#open.size <= to) return
      if (descriptor.users === 0) this.#drop(offset, descriptor)
    }
  }

  #drop(offset: number, descriptor: Descriptor): void {
    if (descriptor.isForgotten) return
    descriptor.isForgotten = true
    if (this.#open.get(offset) === descriptor) this.#open.delete(offset)
    this.#release(descriptor)
  }

  #release(descriptor: Descriptor): void {
    if (descriptor.users > 0) return
    // Nothing was written through it: a failure to close loses nothing.
    descriptor.file.then((file) => file.close()).catch(() => undefined)
  }
}
