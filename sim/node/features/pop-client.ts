/** Whoever takes messages by POP, each request at whichever node. */
import { acknowledge, changeInvisible, pop, type Popped } from '../../../src/client/pop/pop-requests.ts'
import { subscriptionOf } from '../../../src/client/core/subscription.ts'
import { addressOf, BROKER } from '../machine.ts'
import type { FeatureNeeds } from './feature.ts'

const POLL_MS = 300

export interface PopClientNeeds extends FeatureNeeds {
  readonly group: string
  readonly topic: string
  readonly isOrdered: boolean
  readonly invisibleMs: number
}

export class PopClient {
  readonly #need: PopClientNeeds

  constructor(need: PopClientNeeds) {
    this.#need = need
  }

  /** Undefined where there was no answer. */
  async pop(): Promise<Popped[] | undefined> {
    const { host, group, topic, isOrdered, invisibleMs } = this.#need
    const request = {
      group,
      topic,
      brokerName: BROKER,
      subscription: subscriptionOf(topic, '*', 0),
      maxMessages: 4,
      invisibleMs,
      pollMs: POLL_MS,
      isFromFirst: true,
      ordered: isOrdered,
      bornMs: host.nowMs,
    }
    return known(pop(host.invoke, this.#anyAddress(), request, { timeoutMs: 1000 + POLL_MS }))
  }

  /** Keeps it for the same time once more, from now on; undefined where there was no answer. */
  async extend(popped: Popped): Promise<Popped | undefined> {
    const { host, group, invisibleMs } = this.#need
    return known(changeInvisible(host.invoke, this.#anyAddress(), { group, popped, invisibleMs }))
  }

  /** Whether it was answered. */
  async acknowledge(popped: Popped): Promise<boolean> {
    const { host, group } = this.#need
    const answer = acknowledge(host.invoke, this.#anyAddress(), group, popped).then(() => true)
    return (await known(answer)) === true
  }

  #anyAddress(): string {
    const { cluster, host } = this.#need
    const { machines } = cluster
    const leader = host.random.next() < 0.7 ? cluster.leader : undefined
    const machine = leader ?? machines[host.random.integer(0, machines.length - 1)]
    if (machine === undefined) throw new Error('a group has machines')
    return addressOf(machine)
  }
}

function known<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch(() => undefined)
}
