/**
 * What leaves a node, and when. Batches go in with what they stand on; their messages come out in order once the hard
 * state is saved, and the rest once the log is stable, too. One save and one sync are under way at a time; what is
 * asked for meanwhile shares the next.
 */
import type { Ready } from './core.ts'
import type { Message } from './message.ts'
import type { StableStore } from './ports.ts'
import type { HardState, Index } from './types.ts'

interface Batch {
  readonly hardSequence: number
  readonly logSequence: number
  readonly messages: readonly Message[]
  readonly afterStable: readonly Message[]
  lastIndex: Index
}

export interface OutboxNeeds {
  readonly stableStore: StableStore
  readonly syncLog: () => Promise<void>
  readonly send: (message: Message) => void
  /** Everything up to `lastIndex` is stable. Called before the messages that stand on it are sent. */
  readonly stable: (lastIndex: Index) => void
  /** Something was released in a turn of its own. */
  readonly released: () => void
  readonly fatal: (error: unknown) => void
}

export class Outbox {
  readonly #need: OutboxNeeds
  #batches: Batch[] = []
  /** Batches at the front whose `messages` left already. */
  #spoken = 0
  #hardAsked = 0
  #hardDone = 0
  #hardNext: HardState | undefined
  #saving = false
  #logAsked = 0
  #logDone = 0
  #syncing = false
  #closed = false
  #idle: (() => void)[] = []

  constructor(need: OutboxNeeds) {
    this.#need = need
  }

  put(ready: Ready, logChanged: boolean): void {
    if (ready.hardState !== undefined) {
      this.#hardAsked++
      this.#hardNext = ready.hardState
      this.#save()
    }
    if (logChanged) {
      this.#logAsked++
      this.#sync()
    }
    const { messages, afterStable, lastIndex } = ready
    if (!logChanged && messages.length === 0 && afterStable.length === 0) return
    this.#batches.push({ hardSequence: this.#hardAsked, logSequence: this.#logAsked, messages, afterStable, lastIndex })
    this.#release()
  }

  /** Entries after `index` were cut off: syncs under way no longer speak of them (rabbitmq/ra 637). */
  truncateAfter(index: Index): void {
    for (const batch of this.#batches) batch.lastIndex = Math.min(batch.lastIndex, index)
  }

  /** Nothing leaves any more. Resolves when no save and no sync is under way. */
  close(): Promise<void> {
    this.#closed = true
    this.#batches = []
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.#tellIdle()
    })
  }

  #release(): void {
    if (this.#closed) return
    const { send, stable } = this.#need
    for (let batch = this.#batches[this.#spoken]; batch !== undefined; batch = this.#batches[this.#spoken]) {
      if (batch.hardSequence > this.#hardDone) break
      this.#spoken++
      for (const message of batch.messages) send(message)
    }
    let taken = 0
    for (; taken < this.#spoken; taken++) {
      const batch = this.#batches[taken]
      if (batch === undefined || batch.logSequence > this.#logDone) break
      stable(batch.lastIndex)
      for (const message of batch.afterStable) send(message)
    }
    if (taken === 0) return
    this.#batches = this.#batches.slice(taken)
    this.#spoken -= taken
  }

  #save(): void {
    if (this.#saving || this.#hardNext === undefined || this.#closed) return
    const sequence = this.#hardAsked
    const hardState = this.#hardNext
    this.#hardNext = undefined
    this.#saving = true
    this.#need.stableStore.save(hardState).then(
      () => {
        this.#saving = false
        this.#hardDone = sequence
        this.#save()
        this.#done()
      },
      (error: unknown) => {
        this.#saving = false
        this.#failed(error)
      },
    )
  }

  #sync(): void {
    if (this.#syncing || this.#logDone === this.#logAsked || this.#closed) return
    const sequence = this.#logAsked
    this.#syncing = true
    this.#need.syncLog().then(
      () => {
        this.#syncing = false
        this.#logDone = sequence
        this.#sync()
        this.#done()
      },
      (error: unknown) => {
        this.#syncing = false
        this.#failed(error)
      },
    )
  }

  /** What failed is over, too: whoever closes waits for it. */
  #failed(error: unknown): void {
    this.#need.fatal(error)
    this.#tellIdle()
  }

  #done(): void {
    try {
      this.#release()
      if (!this.#closed) this.#need.released()
    } catch (error) {
      this.#need.fatal(error)
    }
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (!this.#closed || this.#saving || this.#syncing) return
    const idle = this.#idle
    this.#idle = []
    for (const resolve of idle) resolve()
  }
}
