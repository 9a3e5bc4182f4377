/** Stores how far the queues of a consumer are consumed: one commit behind the other, so that none overtakes another. */
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { OffsetStore } from './offset-store.ts'
import type { QueueFeed } from './queue-feed.ts'

export interface OffsetCommitsNeeds {
  readonly store: OffsetStore
  readonly log: Log
}

export class OffsetCommits {
  readonly #needs: OffsetCommitsNeeds
  #last: Promise<unknown> = Promise.resolve()

  constructor(needs: OffsetCommitsNeeds) {
    this.#needs = needs
  }

  /** Stores what is not stored yet. Resolves with the failure, if there was one. */
  commit(feeds: () => readonly QueueFeed[], signal?: AbortSignal): Promise<Error | undefined> {
    const result = this.#last.then(() => this.#commitNow(feeds(), signal))
    this.#last = result
    return result
  }

  async #commitNow(feeds: readonly QueueFeed[], signal: AbortSignal | undefined): Promise<Error | undefined> {
    const due = feeds.flatMap((feed) => {
      const queueOffset = feed.uncommitted
      return queueOffset === undefined ? [] : [{ feed, messages: feed.messages, queue: feed.queue, queueOffset }]
    })
    if (due.length === 0) return undefined
    try {
      const offsets = due.map(({ queue, queueOffset }) => ({ queue, queueOffset }))
      await this.#needs.store.commit(offsets, signal)
    } catch (error) {
      this.#needs.log.debug({ error: errorMessage(error) }, 'offsets could not be committed; trying again later')
      return error instanceof Error ? error : new Error(String(error))
    }
    for (const { feed, messages, queueOffset } of due) {
      if (feed.messages === messages) feed.noteCommitted(queueOffset)
    }
    return undefined
  }
}
