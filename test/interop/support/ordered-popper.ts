/** A JVM that pops in order through the stock client (java/OrderedPop.java), line by line. */
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { linesOf, startJava, stop } from './java.ts'
import { programClassPath } from './maven.ts'
import { javaSources } from './places.ts'
import { leaderAddress } from './raftmq.ts'
import { pause } from './scenario.ts'

export interface PopPlace {
  readonly namesrv: string
  readonly topic: string
  readonly group: string
}

const ATTEMPTS = 100
const INVISIBLE_MS = 60_000

export class OrderedPopper {
  readonly #child: ChildProcess
  readonly #place: PopPlace
  readonly #waiting: ((line: string) => void)[] = []

  private constructor(child: ChildProcess, place: PopPlace) {
    this.#child = child
    this.#place = place
    linesOf(child, (line) => this.#waiting.shift()?.(line))
  }

  static async start(place: PopPlace): Promise<OrderedPopper> {
    const classPath = await programClassPath('client-5.5', join(javaSources, 'OrderedPop.java'))
    return new OrderedPopper(startJava({ classPath, main: 'OrderedPop' }), place)
  }

  /** `N body redeliveries` of each message of queue 0, or RocketMQ's word for why there is none. */
  pop(max: number): Promise<string> {
    const { topic, group } = this.#place
    return this.#says('pop', topic, group, 0, max, INVISIBLE_MS)
  }

  /** `n`: which of all that were popped, from 0. */
  acknowledge(n: number): Promise<string> {
    return this.#says('ack', this.#place.group, n)
  }

  /** Several in one request. */
  acknowledgeAll(...n: readonly number[]): Promise<string> {
    return this.#says('batch', this.#place.group, ...n)
  }

  /** Has a message come again after so long. */
  hide(n: number, invisibleMs: number): Promise<string> {
    return this.#says('hide', this.#place.group, n, invisibleMs)
  }

  close(): Promise<void> {
    return stop(this.#child)
  }

  /** Asks whoever leads, until it is answered: while nobody does, a client of RocketMQ fails. */
  async #says(verb: string, ...rest: readonly (string | number)[]): Promise<string> {
    let said = 'nobody leads'
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const address = await leaderAddress(this.#place.namesrv).catch(() => undefined)
      if (address !== undefined) {
        const answer = new Promise<string>((resolve) => this.#waiting.push(resolve))
        this.#child.stdin?.write(`${[verb, address, ...rest].join(' ')}\n`)
        said = await answer
        if (!said.startsWith('failed: ')) return said
      }
      await pause(200)
    }
    throw new Error(said)
  }
}
