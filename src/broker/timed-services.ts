/** What a leader does by the clock: delivers what is due, and asks after transactions that nobody ended. */
import type { Clock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Claims } from './claims.ts'
import type { AutoCreate } from './auto-create.ts'
import type { BrokerStats } from './broker-stats.ts'
import { delayLevels } from './delay-levels.ts'
import { DelaySchedule } from './delay-schedule.ts'
import type { BrokerIdentity } from './identity.ts'
import type { Leadership, Proposals } from './needs.ts'
import type { NodeNetwork } from './node-network.ts'
import type { NodeTables } from './node-tables.ts'
import type { BrokerOptions } from './options.ts'
import { TransactionChecks } from './transaction-checks.ts'
import { Transactions } from './transactions.ts'
import { WaitingMessages } from './waiting-messages.ts'
import { WaitingOffsets } from './waiting-offsets.ts'
import type { MessageStore } from '../store/message-store.ts'

export interface TimedServicesNeeds {
  readonly tables: NodeTables
  readonly store: MessageStore
  readonly proposals: Proposals
  readonly leadership: Leadership
  readonly network: Pick<NodeNetwork, 'clients' | 'relay'>
  readonly autoCreate: AutoCreate
  readonly stats: BrokerStats
  readonly identity: BrokerIdentity
  readonly options: BrokerOptions
  readonly clock: Clock
  readonly log: Log
}

export class TimedServices {
  readonly waiting: WaitingMessages
  readonly transactions: Transactions
  readonly levels: ReturnType<typeof delayLevels>
  readonly #schedule: DelaySchedule
  readonly #checks: TransactionChecks
  readonly #offsets: WaitingOffsets

  constructor(need: TimedServicesNeeds) {
    const { tables, store, options, identity } = need
    this.levels = delayLevels(options.messageDelayLevel)
    const delays = { offsets: tables.delayOffsets, topics: tables.topics, levels: this.levels }
    this.#schedule = new DelaySchedule({ ...need, ...delays })
    const waiting = new WaitingMessages({ delayLevels: this.levels })
    this.waiting = waiting
    const claims = new Claims<number>(need.leadership)
    const { halves, topics } = tables
    const placed = waiting.placed.bind(waiting)
    const { storeHost, brokerName } = identity
    this.transactions = new Transactions({ ...need, halves, topics, claims, placed, storeHost })
    const { clients, relay } = need.network
    this.#checks = new TransactionChecks({ ...need, halves, claims, clients, relay, brokerName })
    this.#offsets = new WaitingOffsets({
      store,
      delayOffsets: tables.delayOffsets,
      delayLevels: this.levels,
      halves,
    })
  }

  /** What lies in the CommitLog from here on is still waited for: retention leaves it. */
  lowestOffset(): Promise<number> {
    return this.#offsets.lowest()
  }

  close(): void {
    this.#schedule.close()
    this.#checks.close()
  }
}
