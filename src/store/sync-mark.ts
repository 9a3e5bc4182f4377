/**
 * The sync mark: a place up to which the log is known to be durable. A lower bound: it is written some time after the
 * flushes, off the way of acknowledgements; but lowered, both copies, before the log is cut below it.
 *
 * With it goes what a scan of damaged bytes could not tell: whose terms the entries before the mark are of, and the last
 * membership. Value of the slots: JSON {"at":[offset,index,term,crc,timestampMs],"runs":…,"memberships":…}.
 */
import type { Clock, Timer } from '../lib/clock.ts'
import type { FileSystem } from './file-system.ts'
import type { LogOutline, MembershipBytes, TermRun } from './log-outline.ts'
import { type LogPosition, asPosition, positionFields } from './log-position.ts'
import { asOutline, outlineFields } from './segment-index.ts'
import { openSlots, SLOT_VALUE_BYTES_MAX, type SlotFile } from './slot-file.ts'

/** Term runs told with the mark, at most. */
const RUNS_MAX = 32

export interface MarkContent {
  readonly position: LogPosition
  /** The last runs up to the mark; older ones may be left out. */
  readonly runs: readonly TermRun[]
  /** The last membership up to the mark, if it is known. */
  readonly memberships: readonly MembershipBytes[]
}

export interface SyncMarkNeeds {
  readonly clock: Clock
  /** How long after an advance it is written, at least. */
  readonly delayMs: number
  /** What may be written now; undefined while that is in doubt. */
  readonly content: () => MarkContent | undefined
  readonly onFailed: (error: Error) => void
}

export class SyncMarkFile {
  readonly #slots: SlotFile
  #content: MarkContent | undefined

  private constructor(slots: SlotFile, content: MarkContent | undefined) {
    this.#slots = slots
    this.#content = content
  }

  static async open(fileSystem: FileSystem, path: string): Promise<SyncMarkFile> {
    const { slots, value } = await openSlots(fileSystem, path, decode)
    return new SyncMarkFile(slots, value)
  }

  /** What was written last; undefined before the first time. */
  get content(): MarkContent | undefined {
    return this.#content
  }

  /** Writes a mark that is not below the last: one copy is enough, the other one is a lower bound too. */
  async advance(content: MarkContent): Promise<void> {
    await this.#slots.advance(encode(content))
    this.#content = content
  }

  /** Writes a mark that may be below the last: both copies. */
  async set(content: MarkContent): Promise<void> {
    await this.#slots.save(encode(content))
    this.#content = content
  }

  close(): Promise<void> {
    return this.#slots.close()
  }
}

/** Writes the mark after flushes, now and then. */
export class SyncMark {
  readonly #file: SyncMarkFile
  readonly #need: SyncMarkNeeds
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #closed = false

  constructor(file: SyncMarkFile, need: SyncMarkNeeds) {
    this.#file = file
    this.#need = need
  }

  /** Offset of the mark on disk. */
  get offset(): number {
    return this.#file.content?.position.offset ?? 0
  }

  /** More is durable: the mark follows soon. */
  advanced(): void {
    if (this.#closed) return
    this.#timer ??= this.#need.clock.after(this.#need.delayMs, () => {
      this.#timer = undefined
      this.#write().catch((error: unknown) => {
        this.#need.onFailed(error instanceof Error ? error : new Error(String(error)))
      })
    })
  }

  /** Before the log is cut behind `content.position`: the mark is not beyond it when this resolves. */
  async lower(content: MarkContent): Promise<void> {
    await this.#writing
    if (this.offset > content.position.offset) await this.#exclusively(() => this.#file.set(content))
  }

  /** Writes it now, if there is something new. */
  async flush(): Promise<void> {
    await this.#writing
    await this.#write()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#writing?.catch(() => undefined)
    await this.#file.close()
  }

  async #write(): Promise<void> {
    const content = this.#need.content()
    if (content === undefined || this.#writing !== undefined || content.position.offset <= this.offset) return
    await this.#exclusively(() => this.#file.advance(content))
  }

  #exclusively(work: () => Promise<void>): Promise<void> {
    const writing = work().finally(() => {
      this.#writing = undefined
    })
    this.#writing = writing
    return writing
  }
}

/** What the mark at `position` says, out of an outline that reaches at least to it. */
export function markContent(outline: LogOutline, position: LogPosition): MarkContent {
  const membership = outline.membershipAt(position.index)
  return {
    position,
    runs: outline.runsBetween(outline.start.index + 1, position.index).slice(-RUNS_MAX),
    memberships: membership === undefined ? [] : [membership],
  }
}

function encode(content: MarkContent): Buffer {
  const value = Buffer.from(JSON.stringify({ at: positionFields(content.position), ...outlineFields(content) }))
  // A membership too long for its place is found in the log instead.
  if (value.length <= SLOT_VALUE_BYTES_MAX) return value
  return Buffer.from(
    JSON.stringify({ at: positionFields(content.position), ...outlineFields({ ...content, memberships: [] }) }),
  )
}

function decode(value: Buffer): MarkContent | undefined {
  const fields: unknown = JSON.parse(value.toString())
  if (typeof fields !== 'object' || fields === null || !('at' in fields)) return undefined
  const position = asPosition(fields.at)
  const outline = asOutline(fields)
  return position === undefined || outline === undefined ? undefined : { position, ...outline }
}
