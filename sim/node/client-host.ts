/** The machine that all clients of a run are on: its clock, its connections, and requests to any node of the group. */
import { Admin } from '../../src/client/admin/admin.ts'
import type { Invoke } from '../../src/client/core/broker-api.ts'
import type { ClientOptions } from '../../src/client/core/options.ts'
import { PushConsumer } from '../../src/client/consumer/push-consumer.ts'
import type { ProducerOptions } from '../../src/client/producer/producer-options.ts'
import { silentLog } from '../../src/lib/log.ts'
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import { RemotingClient } from '../../src/remoting/client.ts'
import type { Cluster } from './cluster.ts'
import { CLIENT_HOST, NAMESRV } from './machine.ts'
import type { Endpoint } from './stream-network.ts'

const RETRY_MS = 100

export class ClientHost {
  readonly random: Random
  readonly admin: Admin
  readonly invoke: Invoke
  readonly #cluster: Cluster
  readonly #endpoint: Endpoint
  readonly #remoting: RemotingClient

  constructor(cluster: Cluster) {
    this.#cluster = cluster
    this.random = seededRandom(cluster.random.integer(0, 0xffffffff))
    this.#endpoint = cluster.endpoint(CLIENT_HOST)
    this.admin = new Admin(this.options())
    const { clock } = this.#endpoint
    this.#remoting = new RemotingClient({ clock, log: silentLog, sockets: cluster.network.socketsOf(this.#endpoint) })
    this.invoke = (address, request, options) => this.#remoting.invoke(address, request, options?.timeoutMs ?? 1500)
  }

  /** Of one client: no other has the same chance. */
  options(): ClientOptions {
    const { clock } = this.#endpoint
    let clients = 0
    return {
      namesrv: `${NAMESRV.host}:${NAMESRV.port}`,
      clock,
      random: seededRandom(this.random.integer(0, 0xffffffff)),
      sockets: this.#cluster.network.socketsOf(this.#endpoint),
      identity: { ip: Uint8Array.of(10, 0, 2, 1), pid: this.random.integer(1, 60_000), nextClient: () => ++clients },
      connectTimeoutMs: 500,
      requestTimeoutMs: 1000,
      routeRefreshMs: 1000,
      heartbeatIntervalMs: 1000,
      openTelemetry: false,
    }
  }

  /** Of a producer: quick to give up, for nodes go on dying. */
  producing(group: string): ProducerOptions & { readonly group: string } {
    return { ...this.options(), group, sendTimeoutMs: 3000, attemptTimeoutMs: 800 }
  }

  /** A consumer of `topic` from its first message on. */
  consumer(group: string, topic: string): PushConsumer {
    const times = { commitIntervalMs: 300, rebalanceIntervalMs: 1000, suspendTimeoutMs: 1000 }
    return new PushConsumer({ ...this.options(), group, from: 'first', ...times }).subscribe(topic)
  }

  /** As its clock shows it. */
  get nowMs(): number {
    return this.#endpoint.clock.nowMs()
  }

  /** Never resolves once the host is closed: what loops by it ends there. */
  pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#endpoint.clock.after(delayMs, resolve)
    })
  }

  /** Resolves when `work` succeeded, however often it takes. */
  async patiently<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch {
        await this.pause(RETRY_MS)
      }
    }
  }

  /** After all clients on it. */
  close(): void {
    this.admin.close()
    this.#remoting.close()
    this.#endpoint.clock.die()
  }
}
