/**
 * A slave: a node that holds what its master has, never votes and never leads. Around the node itself (`broker-node.ts`)
 * it looks for the master, for as long as it takes:
 *
 *   an empty folder    asks the master for an id, and only then is a node
 *   a folder with one  is a node at once, and serves what it has
 *   no master          asks the name servers where it is, dials it there, and tells it where this slave is reached now
 */
import type { Timer } from '../../lib/clock.ts'
import { deferred } from '../../lib/deferred.ts'
import { errorMessage } from '../../lib/errors.ts'
import { RemotingClient } from '../../remoting/client.ts'
import { nodeSockets } from '../../remoting/sockets.ts'
import { DataFolder } from '../../store/folder.ts'
import { nodeFileSystem } from '../../store/node-file-system.ts'
import { joinedAs, type BrokerConfiguration, type BrokerOptions } from '../options/options.ts'
import { formatAddress } from '../options/options-values.ts'
import type { BrokerParts, BrokerStatus, RunningBroker } from '../running-broker.ts'
import { BrokerNode } from './broker-node.ts'
import { MasterFinder } from './master-finder.ts'
import { selfOf } from './register-request.ts'

const LOOK_PERIOD_MS = 1_000
const ASK_TIMEOUT_MS = 3_000
const unjoined: BrokerStatus = { role: 'follower', term: 0, leader: null, isReady: false, mode: null }

export class SlaveNode implements RunningBroker {
  readonly #configuration: BrokerConfiguration
  readonly #parts: BrokerParts
  readonly #client: RemotingClient
  readonly #finder: MasterFinder
  readonly #ended = deferred<Error | undefined>()
  #node: BrokerNode | undefined
  #timer: Timer | undefined
  /** The try that is under way. */
  #looking: Promise<void> | undefined
  #isClosed = false
  #told = ''

  constructor(configuration: BrokerConfiguration, parts: BrokerParts) {
    const { options } = configuration
    this.#configuration = configuration
    this.#parts = parts
    const { clock, log, sockets = nodeSockets } = parts
    this.#client = new RemotingClient({ clock, log, sockets })
    this.#finder = new MasterFinder({
      client: this.#client,
      self: selfOf(options),
      namesrvs: options.namesrvAddr.map(formatAddress),
      timeoutMs: ASK_TIMEOUT_MS,
    })
  }

  get listens(): RunningBroker['listens'] {
    const { bindAddress: host, listenPort: port } = this.#options
    return this.#node?.listens ?? { host, port }
  }

  get status(): BrokerStatus {
    return this.#node?.status ?? unjoined
  }

  get ended(): Promise<Error | undefined> {
    return this.#ended.promise
  }

  /** Resolves once it is a node, or looks for its master in order to become one. Rejects as `BrokerNode.start`. */
  async start(): Promise<void> {
    const { fileSystem = nodeFileSystem, clock } = this.#parts
    try {
      const owner = await DataFolder.ownerOf(fileSystem, this.#options.storePathRootDir)
      if (owner !== undefined) await this.#run(owner.nodeId)
    } catch (error) {
      this.#client.close()
      throw error
    }
    this.#timer = clock.every(LOOK_PERIOD_MS, () => this.#look())
    this.#look()
  }

  async close(): Promise<void> {
    this.#stopLooking()
    await this.#looking
    if (this.#node === undefined) this.#ended.resolve(undefined)
    await this.#node?.close()
  }

  kill(): void {
    this.#stopLooking()
    void (this.#looking ?? Promise.resolve()).then(() => {
      if (this.#node === undefined) this.#ended.resolve(undefined)
      this.#node?.kill()
    })
  }

  /** Where there is no master to be heard and answered: one try at a time to reach it. */
  #look(): void {
    if (this.#looking !== undefined || this.#isClosed || this.#node?.hasMaster === true) return
    this.#looking = this.#reach()
      .then(
        () => (this.#told = ''),
        (error: unknown) => this.#tell(errorMessage(error)),
      )
      .then(() => (this.#looking = undefined))
  }

  async #reach(): Promise<void> {
    const master = await this.#finder.find()
    const node = this.#node
    node?.dialMaster(this.#options.haMasterAddress ?? master.haAddress)
    const id = await this.#finder.join(master, { id: node?.id, clusterId: node?.clusterId ?? undefined })
    if (node !== undefined || this.#isClosed) return
    this.#parts.log.info({ id, master: master.address }, 'the master took this slave')
    try {
      await this.#run(id)
    } catch (error) {
      // A folder or a port that cannot be had ends a node that starts.
      this.#stopLooking()
      this.#ended.resolve(error instanceof Error ? error : new Error(String(error)))
      return
    }
    this.#node?.dialMaster(this.#options.haMasterAddress ?? master.haAddress)
  }

  async #run(id: string): Promise<void> {
    const node = new BrokerNode({ ...this.#configuration, options: joinedAs(this.#options, id) }, this.#parts)
    this.#node = node
    try {
      await node.start()
    } catch (error) {
      this.#node = undefined
      throw error
    }
    void node.ended.then((reason) => {
      this.#stopLooking()
      this.#ended.resolve(reason)
    })
  }

  #stopLooking(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#client.close()
  }

  /** Once for each reason. */
  #tell(reason: string): void {
    if (reason === this.#told || this.#isClosed) return
    this.#told = reason
    this.#parts.log.warn({ reason }, 'this slave looks for its master')
  }

  get #options(): BrokerOptions {
    return this.#configuration.options
  }
}
