/** What a leader does by the clock: delivers what is due, and asks after transactions that nobody ended. */
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { Claims } from '../log/claims.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import { delayLevels } from './delay-levels.ts'
import { DelaySchedule } from './delay-schedule.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { NodeNetwork } from '../node/node-network.ts'
import type { NodeTables } from '../node/node-tables.ts'
import type { BrokerOptions } from '../options/options.ts'
import { TransactionChecks } from '../transactions/transaction-checks.ts'
import { TimerSchedule } from './timer-schedule.ts'
import { Transactions } from '../transactions/transactions.ts'
import { WaitingMessages } from './waiting-messages.ts'
import { WaitingOffsets } from './waiting-offsets.ts'
import type { MessageStore } from '../../store/message-store.ts'
import type { TimerIndex } from '../../store/timer-index.ts'

export interface TimedServicesNeeds {
  readonly tables: NodeTables
  readonly store: MessageStore
  readonly timers: TimerIndex
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
  readonly timers: TimerSchedule
  readonly levels: ReturnType<typeof delayLevels>
  readonly #schedule: DelaySchedule
  readonly #checks: TransactionChecks
  readonly #offsets: WaitingOffsets

  constructor(need: TimedServicesNeeds) {
    const { tables, store, options, identity } = need
    this.levels = delayLevels(options.messageDelayLevel)
    const delays = { offsets: tables.delayOffsets, topics: tables.topics, levels: this.levels }
    this.#schedule = new DelaySchedule({ ...need, ...delays })
    const waiting = new WaitingMessages({ delayLevels: this.levels, clock: need.clock, options })
    this.waiting = waiting
    this.timers = new TimerSchedule({ ...need, topics: tables.topics })
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

  /**
   * Retention would drop what lies before `offset`: stores again what it can of the messages that wait there. Resolves
   * with the first offset that is still waited for.
   */
  async keepBefore(offset: number): Promise<number> {
    return Math.min(await this.timers.keepBefore(offset), await this.#offsets.lowest())
  }

  close(): void {
    this.#schedule.close()
    this.timers.close()
    this.#checks.close()
  }
}
