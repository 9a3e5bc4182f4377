/**
 * Carries out at once what the core decides about the log. The core sees no entry's bytes: those that came with the
 * message it is taking are held here meanwhile.
 */
import { errorCode, errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import type { Append, ResetChunk, ResetReply } from './message.ts'
import type { LogSink } from './node-state.ts'
import type { LogStore } from './ports.ts'
import type { EntryId, Index, Membership } from './types.ts'

export interface LogWriterNeeds<Draft> {
  readonly store: LogStore<Draft>
  readonly log: Log
  /** Entries after `index` are gone. */
  readonly truncated: (index: Index) => void
  readonly resetChunk: (message: ResetChunk, payload: readonly Uint8Array[]) => void
  readonly resetReply: (message: ResetReply) => void
}

const nothing: readonly Uint8Array[] = []

export class LogWriter<Draft> implements LogSink {
  readonly #need: LogWriterNeeds<Draft>
  #payload = nothing
  #hasChanged = false

  constructor(need: LogWriterNeeds<Draft>) {
    this.#need = need
  }

  /** Holds `payload` while the core takes the message that it came with. */
  holding(payload: readonly Uint8Array[], step: () => void): void {
    this.#payload = payload
    step()
    this.#payload = nothing
  }

  /** Whether the log changed since this was asked last: then a sync is due. */
  takeChange(): boolean {
    const hasChanged = this.#hasChanged
    this.#hasChanged = false
    return hasChanged
  }

  /** An entry of the owner's, under the id that the core took for it. */
  append(id: EntryId, draft: Draft): void {
    this.#need.store.append(id, draft)
    this.#hasChanged = true
  }

  appendEmpty(id: EntryId): void {
    this.#need.store.appendEmpty(id)
    this.#hasChanged = true
  }

  appendMembership(id: EntryId, membership: Membership): void {
    this.#need.store.appendMembership(id, membership)
    this.#hasChanged = true
  }

  appendFrames(message: Append): boolean {
    const last = message.runs.at(-1)?.last ?? message.prevIndex
    try {
      this.#need.store.appendFrames({ first: message.prevIndex + 1, last, bytes: this.#payload }, message.runs)
    } catch (error) {
      const code = errorCode(error)
      if (code !== 'RAFT_BAD_ENTRIES' && code !== 'RAFT_LOG_FULL') throw error
      this.#need.log.warn({ from: message.from, code, reason: errorMessage(error) }, 'entries were refused')
      return false
    }
    this.#hasChanged = true
    return true
  }

  truncateAfter(index: Index): boolean {
    if (!this.#need.store.truncateAfter(index)) return false
    this.#need.truncated(index)
    this.#hasChanged = true
    return true
  }

  setDurable(durable: boolean): void {
    this.#need.store.setDurable(durable)
  }

  resetChunk(message: ResetChunk): void {
    this.#need.resetChunk(message, this.#payload)
  }

  resetReply(message: ResetReply): void {
    this.#need.resetReply(message)
  }
}
