/** Sends the state that replaces a follower's log: one piece at a time, each acked, repeated when an ack stays away. */
import type { ResetReply } from './message.ts'
import type { EntryBytes, ResetMeta, ResetSource } from './ports.ts'
import type { NodeId } from './types.ts'

export interface ResetSenderNeeds {
  readonly peer: NodeId
  readonly session: number
  readonly reset: number
  readonly chunkBytes: number
  readonly repeatMs: number
  readonly open: () => Promise<ResetSource>
  /** Sends a piece; false when the follower no longer waits for it. */
  readonly send: (meta: ResetMeta, position: number, payload: EntryBytes['bytes']) => boolean
  readonly failed: (error: unknown) => void
}

export class ResetSender {
  readonly session: number
  readonly reset: number
  readonly #need: ResetSenderNeeds
  #source: ResetSource | undefined
  #position = 0
  #reading = false
  #sentMs = Infinity
  #closed = false

  constructor(need: ResetSenderNeeds) {
    this.#need = need
    this.session = need.session
    this.reset = need.reset
    this.#open()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  replied(message: ResetReply): void {
    if (message.reset !== this.reset || this.#closed) return
    if (message.done) return this.close()
    // Also back to 0: the follower lost what it had.
    this.#position = message.position
    this.#read()
  }

  /** Repeats what was not answered, and what failed here. */
  tick(nowMs: number): void {
    if (this.#sentMs === Infinity && !this.#reading) this.#sentMs = nowMs
    if (nowMs - this.#sentMs < this.#need.repeatMs) return
    if (this.#source === undefined) this.#open()
    else this.#read()
  }

  close(): void {
    this.#closed = true
    this.#source?.close()
    this.#source = undefined
  }

  #open(): void {
    if (this.#reading || this.#closed) return
    this.#reading = true
    this.#sentMs = Infinity
    this.#need.open().then(
      (source) => {
        this.#reading = false
        if (this.#closed) return source.close()
        this.#source = source
        this.#position = 0
        this.#read()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #read(): void {
    const source = this.#source
    if (source === undefined || this.#reading || this.#closed) return
    this.#reading = true
    this.#sentMs = Infinity
    const position = this.#position
    source.read(position, this.#need.chunkBytes).then(
      (bytes) => {
        this.#reading = false
        if (this.#closed) return
        if (!this.#need.send(source.meta, position, [bytes])) this.close()
      },
      (error: unknown) => this.#fail(error),
    )
  }

  #fail(error: unknown): void {
    this.#reading = false
    if (this.#closed) return
    this.#source?.close()
    this.#source = undefined
    this.#need.failed(error)
  }
}
