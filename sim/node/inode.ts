/** One file of a simulated disk: what processes see, what is on the medium, and what the one has and the other has not. */
import type { Random } from '../../src/lib/prng.ts'

const SECTOR_BYTES = 512

/** Bytes that grow without being copied at every write. */
class Content {
  #room = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  get bytes(): Buffer {
    return this.#room.subarray(0, this.#length)
  }

  write(position: number, bytes: Uint8Array): void {
    const end = position + bytes.length
    if (end > this.#room.length) {
      const room = Buffer.alloc(Math.max(end, this.#room.length * 2, 4096))
      room.set(this.bytes)
      this.#room = room
    }
    this.#length = Math.max(this.#length, end)
    this.#room.set(bytes, position)
  }

  truncate(length: number): void {
    if (length < this.#length) this.#room.fill(0, length, this.#length)
    else if (length > this.#length) this.write(length, Buffer.alloc(0))
    this.#length = length
  }

  replaceBy(other: Content): void {
    this.#room = Buffer.from(other.bytes)
    this.#length = other.length
  }
}

type Change =
  | { readonly kind: 'write'; readonly position: number; readonly bytes: Buffer; isDurable: boolean }
  | { readonly kind: 'truncate'; readonly length: number }

export class Inode {
  readonly #cache = new Content()
  readonly #medium = new Content()
  /** Oldest first. */
  #pending: Change[] = []

  get size(): number {
    return this.#cache.length
  }

  /** What a process reads. */
  get bytes(): Buffer {
    return this.#cache.bytes
  }

  write(position: number, bytes: Buffer): { readonly lose: () => void; readonly settle: () => void } {
    const change: Change = { kind: 'write', position, bytes, isDurable: false }
    this.#cache.write(position, bytes)
    this.#pending.push(change)
    return {
      // What could not be written back is marked clean: the cache shows it, the medium never gets it.
      lose: () => {
        this.#pending = this.#pending.filter((other) => other !== change)
      },
      settle: () => {
        change.isDurable = true
        this.#settleFirst()
      },
    }
  }

  truncate(length: number): void {
    this.#cache.truncate(length)
    this.#pending.push({ kind: 'truncate', length })
  }

  /** What is pending now reaches the medium when the function given is called. */
  sync(): { readonly lose: () => void; readonly settle: () => void } {
    const count = this.#pending.length
    const changes = this.#pending.slice(0, count)
    return {
      lose: () => {
        this.#pending = this.#pending.filter((change) => !changes.includes(change))
      },
      settle: () => {
        for (const change of changes) apply(this.#medium, change)
        this.#pending = this.#pending.filter((change) => !changes.includes(change))
      },
    }
  }

  /** What is durable and has nothing before it that is not need not be remembered. */
  #settleFirst(): void {
    for (let [first] = this.#pending; first?.kind === 'write' && first.isDurable; [first] = this.#pending) {
      apply(this.#medium, first)
      this.#pending.shift()
    }
  }

  /** Power fails: of what is pending every sector is kept or lost on its own. */
  crash(random: Random, keep: number): void {
    for (const change of this.#pending) tear(this.#medium, change, () => random.next() < keep)
    this.#pending = []
    this.#cache.replaceBy(this.#medium)
  }

  /** A write that belonged elsewhere. */
  overwrite(position: number, bytes: Uint8Array): void {
    for (const content of [this.#cache, this.#medium]) {
      if (position + bytes.length <= content.length) content.write(position, bytes)
    }
  }

  /** A bit rots, on the medium and in the cache. */
  flip(position: number, bit: number): void {
    for (const { bytes } of [this.#cache, this.#medium]) {
      if (position < bytes.length) bytes[position] = (bytes[position] ?? 0) ^ (1 << bit)
    }
  }
}

function apply(content: Content, change: Change): void {
  if (change.kind === 'truncate') content.truncate(change.length)
  else content.write(change.position, change.bytes)
}

function tear(medium: Content, change: Change, survives: () => boolean): void {
  if (change.kind === 'truncate') {
    if (survives()) medium.truncate(change.length)
    return
  }
  const { position, bytes, isDurable } = change
  for (let from = 0; from < bytes.length; ) {
    const until = Math.min(bytes.length, from + SECTOR_BYTES - ((position + from) % SECTOR_BYTES))
    if (isDurable || survives()) medium.write(position + from, bytes.subarray(from, until))
    from = until
  }
}
