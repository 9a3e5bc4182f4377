/**
 * What Raft must not forget before it answers: term, vote, and what its driver adds. A slot file (`slot-file.ts`): both
 * copies are durable before `save` resolves, so no single fault brings an older vote back; when both are damaged the
 * folder is refused, never started anew.
 */
import { storeErrors } from './errors.ts'
import type { DataFolder } from './folder.ts'
import { SlotFile } from './slot-file.ts'

/** Values that JSON keeps exactly. */
export type HardStateFields = Readonly<Record<string, string | number | boolean | null>>

export class HardStateFile {
  readonly #slots: SlotFile
  #value: HardStateFields
  #saving: Promise<void> = Promise.resolve()

  private constructor(slots: SlotFile, value: HardStateFields) {
    this.#slots = slots
    this.#value = value
  }

  /**
   * Opens the file, or makes it with `initial` in a new folder. Throws `STORE_FILE_MISSING` when a folder that was begun
   * has none, `STORE_SLOTS_CORRUPT` when both copies are damaged.
   */
  static async open(folder: DataFolder, initial: HardStateFields): Promise<HardStateFile> {
    const path = `${folder.path}/hard-state`
    const slots = await SlotFile.open(folder.fileSystem, path)
    try {
      if (slots.value !== undefined && !folder.isNew) return new HardStateFile(slots, decode(slots.value, path))
      if (!folder.isNew)
        throw storeErrors.create('STORE_FILE_MISSING', `${path} is gone: what this node voted is not known`)
      const file = new HardStateFile(slots, initial)
      await file.save(initial)
      return file
    } catch (error) {
      await slots.close()
      throw error
    }
  }

  get value(): HardStateFields {
    return this.#value
  }

  /** Resolves when both copies are durable. Calls are done in their order. A rejection ends the node. */
  save(value: HardStateFields): Promise<void> {
    const bytes = Buffer.from(JSON.stringify(value))
    const done = this.#saving.then(async () => {
      await this.#slots.save(bytes)
      this.#value = value
    })
    // After a failure nothing more is written: every later save fails with it.
    this.#saving = done
    return done
  }

  async close(): Promise<void> {
    await this.#saving.catch(() => undefined)
    await this.#slots.close()
  }
}

function decode(value: Buffer, path: string): HardStateFields {
  const fields: unknown = JSON.parse(value.toString())
  if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) {
    const entries = Object.entries(fields)
    const isPlain = entries.every(
      ([, field]) => field === null || ['string', 'number', 'boolean'].includes(typeof field),
    )
    // Checked just now, field by field.
    if (isPlain) return Object.fromEntries(entries) as HardStateFields
  }
  throw storeErrors.create('STORE_NEWER_FORMAT', `${path} is of a form that this version does not know`)
}
