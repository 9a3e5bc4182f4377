/**
 * What the CommitLog of one machine was given and when it became durable, in the time of the simulation, whatever happened
 * to machine and disk since: for the question whether an acknowledgement could stand on it.
 */
import { bytesOf } from './bodies.ts'
import type { Disk } from './disk.ts'

/** What a node in async flush may have written and not on disk (docs/durability.md, Bounds). */
export interface FlushBounds {
  readonly maxUnflushedBytes: number
  readonly maxUnflushedMs: number
}

interface Write {
  readonly path: string
  /** In the CommitLog. */
  readonly from: number
  readonly bytes: Buffer
  readonly atMs: number
  /** Bytes of it that are durable, from its beginning. */
  durableBytes: number
  durableMs: number
  /** From when on the node could acknowledge it in async flush: first moment within the bounds since it was written. */
  withinMs: number
}

/** Times; Infinity: never. */
export interface Copy {
  readonly durableMs: number
  readonly withinMs: number
}

export interface Sync {
  readonly settle: () => void
  readonly lose: () => void
}

/** Between the beginning of a record and that of its body at most. */
const HEAD_BYTES_MAX = 256

export class WriteLog {
  readonly #nowMs: () => number
  readonly #bounds: FlushBounds
  readonly #writes: Write[] = []
  /** At the end of the log and not durable, oldest first. */
  #unsynced: Write[] = []
  /** What was written again where it was. */
  #again: Write[] = []
  /** Of the unsynced ones: written beyond the bounds. */
  #waiting: Write[] = []
  /** Of the segments that were written, ascending. */
  #bases: number[] = []
  #end = 0

  constructor(nowMs: () => number, bounds: FlushBounds) {
    this.#nowMs = nowMs
    this.#bounds = bounds
  }

  /** How old the oldest write is that is not durable; 0: all are. */
  get unsyncedMs(): number {
    const [oldest] = this.#unsynced
    return oldest === undefined ? 0 : this.#nowMs() - oldest.atMs
  }

  /** A file of the machine was written; `settle`, where that write is durable by itself. */
  wrote(path: string, position: number, bytes: Buffer): Sync {
    const base = baseOf(path)
    if (base === undefined) return nothing
    if (base > (this.#bases.at(-1) ?? -1)) this.#bases.push(base)
    const from = base + position
    const atMs = this.#nowMs()
    const write: Write = { path, from, bytes, atMs, durableBytes: 0, durableMs: Infinity, withinMs: Infinity }
    this.#writes.push(write)
    if (from < this.#end) {
      this.#again.push(write)
      return this.#syncOf([write])
    }
    this.#end = from + bytes.length
    this.#unsynced.push(write)
    this.#waiting.push(write)
    this.#look()
    return this.#syncOf([write])
  }

  /** A sync of what is written to `path` now begins. */
  syncing(path: string): Sync {
    return this.#syncOf([...this.#unsynced, ...this.#again].filter((write) => write.path === path))
  }

  /** The file ends at `length` now. */
  cut(path: string, length: number): void {
    const base = baseOf(path)
    if (base === undefined) return
    const to = base + length
    if (base === this.#bases.at(-1)) this.#end = Math.min(this.#end, to)
    this.#drop((write) => write.path === path && write.from >= to)
  }

  /** The file is gone: retention takes from the front, what is cut off from the back, a reset takes all. */
  gone(path: string): void {
    this.cut(path, 0)
    this.#bases = this.#bases.filter((base) => base !== baseOf(path))
    if (this.#bases.length === 0) this.#end = 0
  }

  /** Power failed: what is on `disk` now is all there is. */
  powerLost({ names }: Disk): void {
    for (const write of [...this.#unsynced, ...this.#again]) {
      const position = write.from - (baseOf(write.path) ?? 0)
      const kept = names.get(write.path)?.bytes.subarray(position, position + write.bytes.length)
      if (kept !== undefined) this.#durable(write, sameBytes(write.bytes, kept))
    }
    this.#drop(() => true)
    this.#bases = []
    this.#end = 0
    for (const [path, { size }] of names) {
      const base = baseOf(path)
      if (base === undefined) continue
      this.#bases.push(base)
      this.#end = Math.max(this.#end, base + size)
    }
    this.#bases.sort((a, b) => a - b)
  }

  /** Another disk is in the machine. */
  replaced(): void {
    this.#drop(() => true)
    this.#bases = []
    this.#end = 0
  }

  /** When the message `id`, whose record lies at `offset`, was held here. */
  copyOf(id: string, offset: number): Copy {
    let durableMs = Infinity
    let withinMs = Infinity
    for (let at = this.#writes.length - 1; at >= 0; at--) {
      const write = this.#writes[at]
      if (write === undefined || write.from > offset || write.from + write.bytes.length <= offset) continue
      const bodyAt = write.bytes.indexOf(`${id} `, offset - write.from)
      if (bodyAt < 0 || bodyAt > offset - write.from + HEAD_BYTES_MAX) continue
      if (bodyAt + bytesOf(id) <= write.durableBytes) durableMs = Math.min(durableMs, write.durableMs)
      withinMs = Math.min(withinMs, write.withinMs)
    }
    return { durableMs, withinMs: Math.min(withinMs, durableMs) }
  }

  #syncOf(writes: readonly Write[]): Sync {
    return {
      settle: () => {
        for (const write of writes) this.#durable(write, write.bytes.length)
        this.#drop((write) => writes.includes(write))
      },
      lose: () => this.#drop((write) => writes.includes(write)),
    }
  }

  #durable(write: Write, bytes: number): void {
    if (write.durableMs !== Infinity || bytes === 0) return
    write.durableMs = this.#nowMs()
    write.durableBytes = bytes
  }

  #drop(isOver: (write: Write) => boolean): void {
    const isLeft = (write: Write): boolean => !isOver(write)
    this.#unsynced = this.#unsynced.filter(isLeft)
    this.#again = this.#again.filter(isLeft)
    this.#waiting = this.#waiting.filter(isLeft)
    this.#look()
  }

  /** What waits may be acknowledged once the node is within its bounds. */
  #look(): void {
    const { maxUnflushedBytes, maxUnflushedMs } = this.#bounds
    const bytes = this.#unsynced.reduce((sum, write) => sum + write.bytes.length, 0)
    if (bytes > maxUnflushedBytes || this.unsyncedMs > maxUnflushedMs) return
    for (const write of this.#waiting) write.withinMs = this.#nowMs()
    this.#waiting = []
  }
}

const nothing: Sync = { settle: () => {}, lose: () => {} }

/** Where a segment of the CommitLog begins; undefined: another file. */
function baseOf(path: string): number | undefined {
  const name = /\/commitlog\/(\d{20})$/.exec(path)?.[1]
  return name === undefined ? undefined : Number(name)
}

function sameBytes(one: Buffer, other: Buffer): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) if (one[at] !== other[at]) return at
  return length
}
