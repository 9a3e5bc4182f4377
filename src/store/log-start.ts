/**
 * Where the log starts: the place before its first entry, kept because retention has dropped, or a reset never brought,
 * what was before. Value of the slots: JSON {"at":[offset,index,term,crc,timestampMs],"membership":[index,base64]|null,
 * "resetting":bool}. `resetting`: everything in the folder but this file is of the old log and must go.
 */
import type { FileSystem } from './file-system.ts'
import type { MembershipBytes } from './log-outline.ts'
import { type LogPosition, asPosition, positionFields } from './log-position.ts'
import { openSlots, type SlotFile } from './slot-file.ts'

export interface LogStart {
  readonly position: LogPosition
  /** The membership that the first entry stands on; undefined for the one that the group was formed with. */
  readonly membership: MembershipBytes | undefined
  readonly isResetting: boolean
}

export class LogStartFile {
  readonly #slots: SlotFile
  #value: LogStart | undefined

  private constructor(slots: SlotFile, value: LogStart | undefined) {
    this.#slots = slots
    this.#value = value
  }

  static async open(fileSystem: FileSystem, path: string): Promise<LogStartFile> {
    const { slots, value } = await openSlots(fileSystem, path, decode)
    return new LogStartFile(slots, value)
  }

  /** Undefined for a log that was never begun. */
  get value(): LogStart | undefined {
    return this.#value
  }

  /** One call at a time. */
  async save(value: LogStart): Promise<void> {
    const { membership } = value
    const fields = {
      at: positionFields(value.position),
      membership: membership === undefined ? null : [membership.index, membership.bytes.toString('base64')],
      resetting: value.isResetting,
    }
    await this.#slots.save(Buffer.from(JSON.stringify(fields)))
    this.#value = value
  }

  close(): Promise<void> {
    return this.#slots.close()
  }
}

function decode(value: Buffer): LogStart | undefined {
  const fields: unknown = JSON.parse(value.toString())
  if (typeof fields !== 'object' || fields === null) return undefined
  if (!('at' in fields) || !('membership' in fields) || !('resetting' in fields)) return undefined
  const position = asPosition(fields.at)
  if (position === undefined || typeof fields.resetting !== 'boolean') return undefined
  const isResetting = fields.resetting
  if (fields.membership === null) return { position, membership: undefined, isResetting }
  if (!Array.isArray(fields.membership)) return undefined
  const [index, bytes] = fields.membership as unknown[]
  if (typeof index !== 'number' || typeof bytes !== 'string') return undefined
  return { position, membership: { index, bytes: Buffer.from(bytes, 'base64') }, isResetting }
}
