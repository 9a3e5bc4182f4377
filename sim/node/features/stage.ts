/** What a workload stands on: its topic and groups, and clients that are started before it and closed behind it. */
import type { ClientHost } from '../client-host.ts'

interface Client {
  close(): Promise<void>
}

export interface StageNeeds {
  /** Of this workload alone; it is closed with it. */
  readonly host: ClientHost
  readonly topic: string
  readonly queues: number
  /** Those that are made by somebody; where a consumer makes its own, none. */
  readonly groups?: readonly string[]
  readonly producer: Client & { start(): Promise<void> }
  readonly consumers?: readonly Client[]
}

export class Stage {
  readonly #need: StageNeeds

  constructor(need: StageNeeds) {
    this.#need = need
  }

  /** Resolves when topic and groups are there. */
  async prepare(): Promise<void> {
    const { host, topic, queues, groups = [], producer } = this.#need
    await host.patiently(() => host.admin.createTopic({ topic, queues }))
    for (const group of groups) await host.patiently(() => host.admin.createGroup(group))
    await producer.start()
  }

  async close(): Promise<void> {
    const { host, producer, consumers = [] } = this.#need
    await Promise.allSettled([producer, ...consumers].map((client) => client.close()))
    host.close()
  }
}
