/**
 * The configuration of a running node, as administrators read it (26) and change it (25, RocketMQ Configuration). What
 * only matters from one request to the next can be changed while the node runs; until its next start, and on this node
 * alone.
 */
import type { Clock } from '../lib/clock.ts'
import type { Option } from '../lib/options.ts'
import { formatProperties, parseProperties } from '../lib/properties.ts'
import { refusal } from './errors.ts'
import { brokerOptionTable } from './options-table.ts'
import type { BrokerConfiguration, BrokerOptions } from './options.ts'

const changeable = [
  'autoCreateTopicEnable',
  'autoCreateSubscriptionGroup',
  'brokerPermission',
  'defaultQueryMaxNum',
  'enablePropertyFilter',
  'longPollingEnable',
  'maxMessageSize',
  'maxTransferBytesOnMessageInMemory',
  'maxTransferCountOnMessageInMemory',
  'notifyConsumerIdsChangedEnable',
  'rejectTransactionMessage',
  'shortPollingTimeMills',
  'transactionCheckInterval',
  'transactionCheckMax',
  'transactionTimeOut',
  'storeReplyMessageEnable',
] as const satisfies readonly (keyof typeof brokerOptionTable)[]

export class LiveConfiguration {
  /** Changes in place: whoever holds it sees the new values. */
  readonly options: BrokerOptions
  readonly #effective: Map<string, string>
  readonly #clock: Clock
  #counter = 0
  #changedMs: number

  constructor({ options, effective }: BrokerConfiguration, clock: Clock) {
    this.options = { ...options }
    this.#effective = new Map(effective)
    this.#clock = clock
    this.#changedMs = clock.nowMs()
  }

  get text(): string {
    return formatProperties(this.#effective)
  }

  get version(): { readonly counter: number; readonly stateVersion: number; readonly timestamp: number } {
    return { counter: this.#counter, stateVersion: 0, timestamp: this.#changedMs }
  }

  /** Takes all entries of a `.properties` text, or none. Throws BROKER_INVALID_PARAMETER. */
  update(text: string): void {
    const { entries } = parse(text)
    const values: Record<string, unknown> = {}
    for (const { key, value } of entries) {
      const option = optionOf(key)
      const parsed = option.parse(value)
      if (parsed === undefined) {
        throw refusal('BROKER_INVALID_PARAMETER', `${key}=${value} is impossible: it must be ${option.allowed}`)
      }
      values[key] = parsed
    }
    Object.assign(this.options, values)
    for (const { key, value } of entries) this.#effective.set(key, value)
    this.#counter++
    this.#changedMs = this.#clock.nowMs()
  }
}

function optionOf(key: string): Option<unknown> {
  const name = changeable.find((known) => known === key)
  if (name !== undefined) return brokerOptionTable[name]
  throw refusal('BROKER_INVALID_PARAMETER', `${key} cannot be changed while the broker runs`)
}

function parse(text: string): ReturnType<typeof parseProperties> {
  try {
    return parseProperties(text, 'request')
  } catch (error) {
    throw refusal('BROKER_INVALID_PARAMETER', `the configuration cannot be read: ${String(error)}`)
  }
}
