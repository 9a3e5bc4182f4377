/** Shares the queues of all topics out anew, in rounds of which one runs at a time (RocketMQ RebalanceService). */
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Assignment, Listed } from './assignment.ts'
import type { HeldQueues } from './held-queues.ts'

export interface RebalancerNeeds {
  readonly clock: Clock
  readonly log: Log
  readonly held: Pick<HeldQueues, 'assign' | 'keepTopics'>
  /** Topics subscribed to now. */
  topics(): readonly string[]
  /** The queues of a topic that are this consumer's; undefined when that cannot be told now and all stays as it is. */
  share(topic: string, listed: Listed): Promise<Assignment | undefined>
}

/** A round that could not be finished is tried again after this. */
const AGAIN_MS = 1_000

export class Rebalancer {
  readonly #needs: RebalancerNeeds
  #state: 'new' | 'open' | 'closed' = 'new'
  #isRunning = false
  #isAsked = false
  /** A round is timed for later. */
  #isDue = false

  constructor(needs: RebalancerNeeds) {
    this.#needs = needs
  }

  /** The first round begins, unless it is closed already. */
  open(): void {
    if (this.#state !== 'new') return
    this.#state = 'open'
    this.soon()
  }

  /** No further round; one that is under way changes nothing more. */
  close(): void {
    this.#state = 'closed'
  }

  /** At once, or once more after the round that is under way. */
  soon(): void {
    this.#isAsked = true
    if (!this.#isRunning && this.#isOpen()) void this.#rounds()
  }

  later(): void {
    if (this.#isDue) return
    this.#isDue = true
    this.#needs.clock.after(AGAIN_MS, () => {
      this.#isDue = false
      this.soon()
    })
  }

  async #rounds(): Promise<void> {
    this.#isRunning = true
    while (this.#isAsked && this.#isOpen()) {
      this.#isAsked = false
      const listed: Listed = new Map()
      let isBalanced = true
      for (const topic of this.#needs.topics()) isBalanced = (await this.#round(topic, listed)) && isBalanced
      if (!this.#isOpen()) break
      await this.#needs.held.keepTopics((topic) => this.#needs.topics().includes(topic))
      if (!isBalanced) this.later()
    }
    this.#isRunning = false
  }

  /** False: it could not be finished. */
  async #round(topic: string, listed: Listed): Promise<boolean> {
    try {
      const assignment = await this.#needs.share(topic, listed)
      if (!this.#isOpen()) return true
      if (assignment === undefined) return false
      await this.#needs.held.assign(topic, assignment)
      return true
    } catch (error) {
      if (this.#isOpen()) this.#needs.log.debug({ topic, error: errorMessage(error) }, 'queues could not be shared out')
      return false
    }
  }

  /** Asked by call: what is awaited in between may change it. */
  #isOpen(): boolean {
    return this.#state === 'open'
  }
}
