/**
 * The last term in which this node, leading, acknowledged messages before they were committed. Slot file `early`: JSON
 * {"term":7,"all":true}. Durable before the first such acknowledgement of a term leaves: by it a node knows which entries
 * it may have acknowledged when another leader cuts them off, also after a restart.
 */
import type { FileSystem } from './file-system.ts'
import { openSlots, type SlotFile } from './slot-file.ts'

export interface Early {
  /** 0: none that has not been accounted for. */
  readonly term: number
  /** All messages of the term (async replication), or only those that do not wait (`WAIT=false`). */
  readonly all: boolean
}

export class EarlyFile {
  readonly #slots: SlotFile
  #value: Early
  #saving: Promise<void> = Promise.resolve()

  private constructor(slots: SlotFile, value: Early) {
    this.#slots = slots
    this.#value = value
  }

  static async open(fileSystem: FileSystem, path: string): Promise<EarlyFile> {
    const { slots, value } = await openSlots(fileSystem, path, decode)
    return new EarlyFile(slots, value ?? { term: 0, all: false })
  }

  /** What is durable. */
  get value(): Early {
    return this.#value
  }

  /** Resolves when it is durable. A rejection ends the node. */
  save(value: Early): Promise<void> {
    const done = this.#saving.then(async () => {
      await this.#slots.save(Buffer.from(JSON.stringify(value)))
      this.#value = value
    })
    // After a failure nothing more is written: every later call fails with it.
    this.#saving = done
    return done
  }

  async close(): Promise<void> {
    await this.#saving.catch(() => undefined)
    await this.#slots.close()
  }
}

function decode(bytes: Buffer): Early | undefined {
  const fields: unknown = JSON.parse(bytes.toString())
  if (typeof fields !== 'object' || fields === null || !('term' in fields) || !('all' in fields)) return undefined
  const { term, all } = fields
  return typeof term === 'number' && typeof all === 'boolean' ? { term, all } : undefined
}
