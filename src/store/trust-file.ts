/**
 * Whether this node has answered for bytes that were not on the medium, and in which boot of its machine. What such an
 * answer stood on survives the death of the process in the page cache, and not the machine's.
 *
 * It also tells whether the machine went down since this node last ran: bytes of the log that a write has taken cannot be
 * missing or torn while the machine stayed up, unless the disk damaged them.
 *
 * A slot file, `trust`: JSON {"bootId":"…"|null,"unsynced":true|false}. `true` is durable before the first such answer
 * leaves; `false` is written once everything is durable again.
 */
import type { FileSystem } from './file-system.ts'
import { openSlots, type SlotFile } from './slot-file.ts'

interface Trust {
  readonly bootId: string | null
  readonly unsynced: boolean
}

/** How the node before this one ended: in order (`clean`), or not. */
export type LastStop = 'clean' | 'unclean'

export class TrustFile {
  readonly #slots: SlotFile
  readonly #bootId: string | null
  readonly #found: Trust
  #current: Trust
  #saving: Promise<void> = Promise.resolve()

  private constructor(slots: SlotFile, bootId: string | null, found: Trust) {
    this.#slots = slots
    this.#bootId = bootId
    this.#found = found
    this.#current = found
  }

  /** `bootId`: of the machine as it runs now; null where it tells none, and then only a clean stop is trusted. */
  static async open(fileSystem: FileSystem, path: string, bootId: string | null): Promise<TrustFile> {
    const { slots, value } = await openSlots(fileSystem, path, decode)
    return new TrustFile(slots, bootId, value ?? { bootId: null, unsynced: false })
  }

  /** Whether the log that was found may lack what this node answered for. */
  isInDoubt(lastStop: LastStop): boolean {
    const { bootId, unsynced } = this.#found
    if (!unsynced || lastStop === 'clean') return false
    return bootId === null || bootId !== this.#bootId
  }

  /** Whether the node before this one ran in this very boot of the machine. */
  get isSameBoot(): boolean {
    return this.#bootId !== null && this.#found.bootId === this.#bootId
  }

  /** Resolves when answers that stand on unsynced bytes may leave. A rejection ends the node. */
  beginUnsynced(): Promise<void> {
    return this.#set(true)
  }

  /** Everything that was answered for is durable, and all that follows will be. */
  endUnsynced(): Promise<void> {
    return this.#set(false)
  }

  async close(): Promise<void> {
    await this.#saving.catch(() => undefined)
    await this.#slots.close()
  }

  #set(unsynced: boolean): Promise<void> {
    const done = this.#saving.then(async () => {
      const next = { bootId: this.#bootId, unsynced }
      if (unsynced === this.#current.unsynced && next.bootId === this.#current.bootId) return
      await this.#slots.save(Buffer.from(JSON.stringify(next)))
      this.#current = next
    })
    // After a failure nothing more is written: every later call fails with it.
    this.#saving = done
    return done
  }
}

function decode(value: Buffer): Trust | undefined {
  const fields: unknown = JSON.parse(value.toString())
  if (typeof fields !== 'object' || fields === null || !('bootId' in fields) || !('unsynced' in fields))
    return undefined
  const { bootId, unsynced } = fields
  if ((typeof bootId !== 'string' && bootId !== null) || typeof unsynced !== 'boolean') return undefined
  return { bootId, unsynced }
}
