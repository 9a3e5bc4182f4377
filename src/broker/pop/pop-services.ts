/** What a leader needs to pop for consumers, put together. */
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Random } from '../../lib/prng.ts'
import type { MessageStore } from '../../store/message-store.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import { Claims } from '../log/claims.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { NodeTables } from '../node/node-tables.ts'
import type { BrokerOptions } from '../options/options.ts'
import { AcksInFlight } from './acks-in-flight.ts'
import { PopHold } from './hold.ts'
import { Pops } from './pops.ts'
import { PopProposer } from './proposer.ts'
import { PopRevival } from './revival.ts'

export interface PopServicesNeeds {
  readonly tables: Pick<NodeTables, 'checkpoints' | 'offsets' | 'topics'>
  readonly store: Pick<MessageStore, 'pull' | 'queueBounds' | 'isYoung'>
  readonly proposals: Proposals
  readonly leadership: Leadership
  readonly autoCreate: AutoCreate
  readonly random: Random
  readonly clock: Clock
  readonly log: Log
  readonly options: Pick<
    BrokerOptions,
    'enableRetryTopicV2' | 'maxTransferBytesOnMessageInMemory' | 'popInflightMessageThreshold'
  >
}

const MAX_PENDING_CHANGES = 100_000
/** RocketMQ maxPopPollingSize and popPollingSize. */
const HOLD = { maxWaiting: 100_000, maxWaitingPerGroup: 1_024 }

export class PopServices {
  readonly popHold: PopHold
  readonly pops: Pops
  readonly proposer: PopProposer
  readonly acks = new AcksInFlight()
  readonly #revival: PopRevival

  constructor(need: PopServicesNeeds) {
    const { checkpoints, offsets, topics } = need.tables
    const { acks } = this
    this.popHold = new PopHold({ clock: need.clock, options: HOLD })
    this.proposer = new PopProposer({ ...need, maxPending: MAX_PENDING_CHANGES })
    const claims = new Claims<string>(need.leadership)
    this.pops = new Pops({ ...need, checkpoints, offsets, topics, proposer: this.proposer, claims })
    this.#revival = new PopRevival({ ...need, checkpoints, acks, claims: new Claims<string>(need.leadership) })
  }

  close(): void {
    this.#revival.close()
    this.popHold.close()
  }
}
