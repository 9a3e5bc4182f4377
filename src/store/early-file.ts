/**
 * The last term in which this node, leading, acknowledged messages before they were committed. Slot file `early`: JSON
 * {"term":7,"all":true,"rotten":[offset,end]}. Durable before the first such acknowledgement of a term leaves: by it a
 * node knows which entries it may have acknowledged when another leader cuts them off, also after a restart.
 */
import type { FileSystem } from './file-system.ts'
import { openSlots, type SlotFile } from './slot-file.ts'

export interface Early {
  /** 0: none that has not been accounted for. */
  readonly term: number
  /** All messages of the term (async replication), or only those that do not wait (`WAIT=false`). */
  readonly all: boolean
  /** Between which offsets what was to be set aside had rotted; absent where all of it was sound. */
  readonly rotten?: RottenSpan
}

/** Offsets in the log: a bound, as sound bytes may lie between two places that have rotted. */
export type RottenSpan = readonly [offset: number, end: number]

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

  /** Bytes that are to be cut off cannot be set aside. Resolves when that is durable; said again it changes nothing. */
  async rotted(offset: number, end: number): Promise<void> {
    const { rotten } = this.#value
    const span: RottenSpan = [Math.min(offset, rotten?.[0] ?? offset), Math.max(end, rotten?.[1] ?? end)]
    if (rotten?.[0] === span[0] && rotten[1] === span[1]) return
    await this.save({ ...this.#value, rotten: span })
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
  if (typeof term !== 'number' || typeof all !== 'boolean') return undefined
  const rotten = 'rotten' in fields ? spanOf(fields.rotten) : undefined
  return { term, all, ...(rotten === undefined ? {} : { rotten }) }
}

function spanOf(value: unknown): RottenSpan | undefined {
  if (!Array.isArray(value)) return undefined
  const [offset, end]: readonly unknown[] = value
  return typeof offset === 'number' && typeof end === 'number' ? [offset, end] : undefined
}
