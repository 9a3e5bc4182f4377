/**
 * Turns sync and async flush of this node's log as Raft's leader says. Before the first answer that stands on unsynced
 * bytes the trust file says so, durably; once everything is durable again it says that.
 */
export interface FlushSwitchNeeds {
  readonly log: {
    setFlushMode(mode: 'sync' | 'async'): void
    flush(): Promise<void>
  }
  readonly trust: { beginUnsynced(): Promise<void>; endUnsynced(): Promise<void> }
  readonly fatal: (error: Error) => void
}

export class FlushSwitch {
  readonly #need: FlushSwitchNeeds
  #isDurable = true
  #working: Promise<void> | undefined

  constructor(need: FlushSwitchNeeds) {
    this.#need = need
  }

  /** Sync flush counts at once; async flush once the trust file knows. */
  set(durable: boolean): void {
    this.#isDurable = durable
    if (durable) this.#need.log.setFlushMode('sync')
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined
    })
  }

  /** Resolves when nothing of it touches the disk any more. */
  async settled(): Promise<void> {
    await this.#working
  }

  /** Until what is done is what is wanted. */
  async #work(): Promise<void> {
    const { log, trust, fatal } = this.#need
    try {
      for (let done: boolean | undefined; done !== this.#isDurable; ) {
        done = this.#isDurable
        if (!done) {
          await trust.beginUnsynced()
          if (!this.#isDurable) log.setFlushMode('async')
        } else {
          await log.flush()
          if (this.#isDurable) await trust.endUnsynced()
        }
      }
    } catch (error) {
      fatal(error instanceof Error ? error : new Error(String(error)))
    }
  }
}
