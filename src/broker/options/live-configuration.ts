/**
 * The configuration of a running node, as administrators read it (26) and change it (25, RocketMQ Configuration). What is
 * asked anew for each request, or each time that old segments are looked for, can be changed while the node runs; until its
 * next start, and on this node alone.
 */
import type { Clock } from '../../lib/clock.ts'
import { unknownKeyFault } from '../../lib/known-keys.ts'
import type { Option } from '../../lib/options.ts'
import { formatProperties, parseProperties } from '../../lib/properties.ts'
import { refusal } from '../errors.ts'
import { type Mode, modeOf } from '../group/group-mode.ts'
import { brokerOptionTable } from './options-table.ts'
import { knowledgeOf, type BrokerConfiguration, type BrokerOptions } from './options.ts'

const changeable = [
  'autoCreateTopicEnable',
  'autoCreateSubscriptionGroup',
  'brokerPermission',
  'cleanFileForciblyEnable',
  'defaultQueryMaxNum',
  'deleteWhen',
  'diskMaxUsedSpaceRatio',
  'diskSpaceCleanForciblyRatio',
  'enablePropertyFilter',
  'fileReservedTime',
  'longPollingEnable',
  'maxMessageSize',
  'maxTransferBytesOnMessageInMemory',
  'maxTransferCountOnMessageInMemory',
  'notifyConsumerIdsChangedEnable',
  'enableMixedMessageType',
  'enableTopicMessageTypeCheck',
  'recallMessageEnable',
  'rejectTransactionMessage',
  'shortPollingTimeMills',
  'slaveReadEnable',
  'timerMaxDelaySec',
  'timerWheelEnable',
  'transactionCheckInterval',
  'transactionCheckMax',
  'transactionTimeOut',
  'storeReplyMessageEnable',
  'useServerSideResetOffset',
] as const satisfies readonly (keyof typeof brokerOptionTable)[]

/** Keys that are the group's, not this node's: a change of them goes through the log. */
const ofGroup = ['flushDiskType', 'raftReplication'] as const satisfies readonly (keyof typeof brokerOptionTable)[]

/** What an update asks of the group. */
export type GroupChange = Partial<Pick<BrokerOptions, (typeof ofGroup)[number]>>

export class LiveConfiguration {
  /** Changes in place: whoever holds it sees the new values. */
  readonly options: BrokerOptions
  /** What the node's file says of the mode. */
  readonly fileMode: Partial<Mode>
  readonly #effective: Map<string, string>
  readonly #clock: Clock
  #counter = 0
  #changedMs: number

  constructor({ options, effective, said }: BrokerConfiguration, clock: Clock) {
    this.options = { ...options }
    const { flush, replication } = modeOf(options)
    this.fileMode = {
      ...(said.has('flushDiskType') && { flush }),
      ...(said.has('raftReplication') && { replication }),
    }
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

  /** The log says what the mode is: shown in place of the file's. */
  showMode(values: Required<GroupChange>): void {
    for (const key of ofGroup) this.#effective.set(key, values[key])
  }

  /**
   * Takes all entries of a `.properties` text, or none. Throws BROKER_INVALID_PARAMETER. Returns what is left to be done
   * by the group: its keys are not changed here.
   */
  update(text: string): GroupChange {
    const { entries } = parse(text)
    const values: Record<string, unknown> = {}
    const group: Record<string, unknown> = {}
    for (const { key, value } of entries) {
      const option = optionOf(key)
      const parsed = option.parse(value)
      if (parsed === undefined) {
        throw refusal('BROKER_INVALID_PARAMETER', `${key}=${value} is impossible: it must be ${option.allowed}`)
      }
      if (ofGroup.some((name) => name === key)) group[key] = parsed
      else values[key] = parsed
    }
    Object.assign(this.options, values)
    for (const { key, value } of entries) if (Object.hasOwn(values, key)) this.#effective.set(key, value)
    this.#counter++
    this.#changedMs = this.#clock.nowMs()
    return group
  }
}

function optionOf(key: string): Option<unknown> {
  const name = [...changeable, ...ofGroup].find((known) => known === key)
  if (name !== undefined) return brokerOptionTable[name]
  throw refusal('BROKER_INVALID_PARAMETER', whyNot(key))
}

function whyNot(key: string): string {
  const { class: kind, why } = knowledgeOf(key)
  if (kind === 'honoured') return `${key} cannot be changed while the broker runs`
  if (kind !== 'unknown') return `${key} changes nothing here: ${why}`
  return unknownKeyFault(key, 'a broker', new Set(Object.keys(brokerOptionTable)))
}

function parse(text: string): ReturnType<typeof parseProperties> {
  try {
    return parseProperties(text, 'request')
  } catch (error) {
    throw refusal('BROKER_INVALID_PARAMETER', `the configuration cannot be read: ${String(error)}`)
  }
}
