/** The workload of what is no message: topics are made, and the offsets of a group committed, at whichever node. */
import { queryOffset, updateOffset } from '../../src/client/core/broker-api.ts'
import { Violation } from '../world/violation.ts'
import type { ClientHost } from './client-host.ts'
import type { Cluster } from './cluster.ts'
import { CommittedOffsets } from './committed-offsets.ts'
import { addressOf } from './machine.ts'
import { TOPIC } from './messages.ts'

const GROUP = 'committers'
const queue = { topic: TOPIC, brokerName: 'broker-a', queueId: 0 }

export class Tables {
  readonly #cluster: Cluster
  readonly #host: ClientHost
  readonly #committed = new CommittedOffsets()
  readonly #topics: string[] = []
  #topicsAsked = 0
  #commits = 0
  #isOver = false

  constructor(cluster: Cluster, host: ClientHost) {
    this.#cluster = cluster
    this.#host = host
  }

  /** Resolves when the group is there. */
  async prepare(): Promise<void> {
    await this.#host.patiently(() => this.#host.admin.createGroup(GROUP))
  }

  start(): void {
    void this.#commitOffsets()
  }

  end(): void {
    this.#isOver = true
  }

  /** A topic is made; once that is acknowledged, it must be there for ever. */
  async createTopic(): Promise<void> {
    const topic = `topic-${++this.#topicsAsked}`
    try {
      await this.#host.admin.createTopic({ topic, queues: 1 })
      this.#topics.push(topic)
      this.#cluster.note(`${topic} is made`)
    } catch {
      // It may be there or not.
    }
  }

  /** A higher offset than before, to whichever node did not leave the group; resolves with whether it was acknowledged. */
  async commit(): Promise<boolean> {
    const machines = this.#cluster.machines.filter(({ isGone }) => !isGone)
    const machine = machines[this.#host.random.integer(0, machines.length - 1)]
    if (machine === undefined) return false
    const queueOffset = ++this.#commits
    const acknowledged = this.#committed.began(queueOffset)
    try {
      await updateOffset(this.#host.invoke, addressOf(machine), { group: GROUP, queue, queueOffset })
      acknowledged()
      this.#cluster.note(`the offset ${queueOffset} is acknowledged`)
      return true
    } catch {
      return false
    }
  }

  /** In the end: every topic and every offset that was acknowledged is there (I6). */
  async check(address: string): Promise<void> {
    const host = this.#host
    const offset = (await host.patiently(() => queryOffset(host.invoke, address, { group: GROUP, queue }))) ?? -1
    const lost = this.#committed.lostAt(offset)
    if (lost !== undefined) {
      throw new Violation('rollback', `the offset ${lost} was acknowledged, and now it is ${offset}`)
    }
    for (const topic of this.#topics) {
      const route = await host.patiently(() => host.admin.route(topic))
      if (route === undefined) throw new Violation('rollback', `${topic} is gone`)
    }
  }

  async #commitOffsets(): Promise<void> {
    while (!this.#isOver) {
      await this.#host.pause(50 + this.#host.random.next() * 200)
      await this.commit()
    }
  }
}
