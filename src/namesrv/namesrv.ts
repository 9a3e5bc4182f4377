/** One name server: wires table, files, requests and the port. Several of them know nothing of each other. */
import type { Clock, Timer } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { ResponseCode } from '../remoting/codes.ts'
import { type ErrorReplies, type Origin, Router } from '../remoting/route.ts'
import { RemotingServer } from '../remoting/server.ts'
import type { Sockets } from '../remoting/sockets.ts'
import { KvConfig } from './kv-config.ts'
import { LiveOptions } from './live-options.ts'
import type { NamesrvOptions } from './options.ts'
import { namesrvRoutes } from './processors.ts'
import { RouteTable } from './route-table.ts'
import type { TextFiles } from './text-files.ts'

export interface NamesrvNeeds {
  readonly options: NamesrvOptions
  readonly files: TextFiles
  readonly clock: Clock
  readonly log: Log
  /** The machine's network where none is handed in. */
  readonly sockets?: Sockets
}

const CLOSE_GRACE_MS = 500

const errorReplies: ErrorReplies = {
  NAMESRV_REFUSED: { code: ResponseCode.NO_PERMISSION },
}

export class Namesrv {
  readonly #need: NamesrvNeeds
  readonly #table: RouteTable
  readonly #kv: KvConfig
  readonly #server: RemotingServer
  /** Connections by which brokers registered. */
  readonly #brokers = new Set<Origin>()
  #scan: Timer | undefined

  constructor(need: NamesrvNeeds) {
    this.#need = need
    const { options, files, clock, log } = need
    const live = new LiveOptions({ files, options })
    this.#table = new RouteTable(() => live.current)
    this.#kv = new KvConfig({ files, path: options.kvConfigPath })
    const registered = (origin: Origin): void => this.#registered(origin)
    const routes = namesrvRoutes({ table: this.#table, kv: this.#kv, options: live, clock, log, registered })
    this.#server = new RemotingServer({
      host: options.bindAddress,
      port: options.listenPort,
      router: new Router({ routes, errors: errorReplies, log }),
      clock,
      log,
      ...(need.sockets === undefined ? {} : { sockets: need.sockets }),
      limits: { idleMs: options.serverChannelMaxIdleTimeSeconds * 1000 },
    })
  }

  /** The port listened on; of use when the option is 0. */
  get port(): number {
    return this.#server.port
  }

  /** Rejects with REMOTING_LISTEN_FAILED or NAMESRV_KV_UNREADABLE. */
  async start(): Promise<void> {
    const { clock, options, log } = this.#need
    this.#kv.load()
    await this.#server.listen()
    this.#scan = clock.every(options.scanNotActiveBrokerInterval, () => this.#expire())
    log.info({ host: options.bindAddress, port: this.port }, 'the name server listens')
  }

  async close(): Promise<void> {
    this.#scan?.cancel()
    await this.#server.close(CLOSE_GRACE_MS)
  }

  #registered(origin: Origin): void {
    if (this.#brokers.has(origin)) return
    this.#brokers.add(origin)
    origin.onClose(() => {
      this.#brokers.delete(origin)
      for (const { brokerName, brokerAddr } of this.#table.channelClosed(origin)) {
        this.#need.log.info({ broker: brokerName, address: brokerAddr }, 'a broker is gone: its connection closed')
      }
    })
  }

  #expire(): void {
    const expired = this.#table.expire(this.#need.clock.monotonicMs())
    for (const { brokerName, brokerAddr } of expired) {
      this.#need.log.warn({ broker: brokerName, address: brokerAddr }, 'a broker is gone: it was silent for too long')
    }
    const channels = new Set(expired.map(({ channel }) => channel))
    for (const connection of this.#server.connections) if (channels.has(connection)) connection.close('silent broker')
  }
}
