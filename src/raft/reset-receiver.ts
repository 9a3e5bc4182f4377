/** Takes the pieces of a reset in order and feeds them to the store, holding at most one. */
import { errorCode } from '../lib/errors.ts'
import { raftErrors } from './errors.ts'
import type { Append, ResetChunk } from './message.ts'
import type { LogState, ResetMeta } from './ports.ts'

export interface ResetReceiverNeeds {
  readonly apply: (meta: ResetMeta, chunks: AsyncIterable<Uint8Array>) => Promise<LogState>
  /** Bytes below `position` are taken: tell the sender of `message`. */
  readonly taken: (message: ResetChunk, position: number) => void
  /** `last` is the piece that ended it. */
  readonly done: (state: LogState, last: ResetChunk) => void
  /** The old log is untouched; the leader begins again. */
  readonly refused: (error: unknown) => void
  readonly fatal: (error: unknown) => void
}

export class ResetReceiver {
  readonly #need: ResetReceiverNeeds
  #current: Reception | undefined

  constructor(need: ResetReceiverNeeds) {
    this.#need = need
  }

  /** From the first piece until the store said how it ended. */
  get isActive(): boolean {
    return this.#current !== undefined
  }

  /** Gives up unless everything is in the store's hands already; then it is committed state, whoever sent it. */
  abortUnless(term: number): void {
    if (this.#current !== undefined && this.#current.message.term !== term) this.#current.abort()
  }

  /**
   * An append of the leader that sends the reset, in a later session: it took this node for restarted, and sends no more
   * pieces. Without this the reset would wait for them for ever, and every append be dropped meanwhile.
   */
  overtakenBy({ from, term, session }: Append): void {
    const message = this.#current?.message
    if (message?.from === from && message.term === term && session > message.session) this.#current?.abort()
  }

  take(message: ResetChunk, payload: readonly Uint8Array[]): void {
    const current = this.#current
    if (current === undefined) {
      if (message.position === 0) this.#begin(message, payload)
      else this.#need.taken(message, 0)
      return
    }
    if (!current.belongs(message)) return current.abort()
    current.take(message, payload)
  }

  stop(): void {
    this.#current?.abort()
  }

  #begin(message: ResetChunk, payload: readonly Uint8Array[]): void {
    const reception = new Reception(message, this.#need.taken)
    this.#current = reception
    this.#need.apply(message.meta, reception).then(
      (state) => {
        this.#current = undefined
        this.#need.done(state, reception.message)
      },
      (error: unknown) => {
        this.#current = undefined
        if (refusals.has(errorCode(error))) this.#need.refused(error)
        else this.#need.fatal(error)
      },
    )
    reception.take(message, payload)
  }
}

/** What leaves the old log untouched, so that the leader may begin again. */
const refusals: ReadonlySet<string | undefined> = new Set(['RAFT_RESET_ABORTED', 'RAFT_BAD_ENTRIES', 'RAFT_LOG_FULL'])

/** One reset on its way in, as the chunks that the store reads. */
class Reception implements AsyncIterable<Uint8Array> {
  readonly #taken: (message: ResetChunk, position: number) => void
  #message: ResetChunk
  #position = 0
  #chunks: Uint8Array[] = []
  #aborted = false
  #wake: (() => void) | undefined

  constructor(first: ResetChunk, taken: (message: ResetChunk, position: number) => void) {
    this.#message = first
    this.#taken = taken
  }

  /** The newest piece. */
  get message(): ResetChunk {
    return this.#message
  }

  belongs(message: ResetChunk): boolean {
    const { term, from, session, reset } = this.#message
    return message.term === term && message.from === from && message.session === session && message.reset === reset
  }

  take(message: ResetChunk, payload: readonly Uint8Array[]): void {
    this.#message = message
    // One piece at a time is held: the next is asked for once the store took this one.
    if (this.#chunks.length > 0) return
    if (message.position === this.#position) {
      for (const chunk of payload) {
        this.#chunks.push(chunk)
        this.#position += chunk.byteLength
      }
      if (this.#chunks.length > 0 || this.#isWhole) return this.#stir()
    }
    this.#taken(message, this.#position)
  }

  abort(): void {
    this.#aborted = true
    this.#stir()
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    for (;;) {
      if (this.#aborted) throw raftErrors.create('RAFT_RESET_ABORTED', 'another leader or another reset took over')
      const chunk = this.#chunks[0]
      if (chunk !== undefined) {
        yield chunk
        this.#chunks.shift()
        if (this.#chunks.length === 0 && !this.#isWhole) this.#taken(this.#message, this.#position)
      } else if (this.#isWhole) {
        return
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    }
  }

  get #isWhole(): boolean {
    return this.#position >= this.#message.meta.byteLength
  }

  #stir(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}
