/** What brokers keep of a group beside its offsets (200, 352; RocketMQ SubscriptionGroupConfig). */
import { SubscriptionGroupConfig } from '../../remoting/bodies/group.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { checkTexts } from '../core/call-options.ts'
import { clientErrors } from '../core/errors.ts'
import { checkGroupName } from '../core/names.ts'
import { checkWhich } from './connection.ts'
import type { AdminConnection, Which } from './connection.ts'

type Parse = (text: string) => boolean | number | undefined

const flag: Parse = (text) => (text === 'true' ? true : text === 'false' ? false : undefined)
const count: Parse = (text) => (/^-?\d{1,9}$/.test(text) ? Number(text) : undefined)

/** The settings that are one word, by RocketMQ's names. */
const settings: Readonly<Record<string, Parse>> = {
  consumeEnable: flag,
  consumeBroadcastEnable: flag,
  consumeFromMinEnable: flag,
  consumeMessageOrderly: flag,
  consumeTimeoutMinute: count,
  notifyConsumerIdsChangedEnable: flag,
  retryMaxTimes: count,
  retryQueueNums: count,
  brokerId: count,
  whichBrokerWhenConsumeSlowly: count,
}

export class GroupSettings {
  readonly #at: AdminConnection

  constructor(at: AdminConnection) {
    this.#at = at
  }

  /** As the first of the broker groups has it. Errors: `CLIENT_REFUSED` (code 26) when there is no such group. */
  async get(group: string, which: Which = {}): Promise<SubscriptionGroupConfig> {
    checkGroupName(group)
    checkWhich('get', which)
    const [broker] = await this.#at.brokersOf(which)
    if (broker === undefined) throw clientErrors.create('CLIENT_OPTION', 'there is no broker group')
    const request = { code: RequestCode.GET_SUBSCRIPTIONGROUP_CONFIG, header: { group } }
    return SubscriptionGroupConfig.decode((await this.#at.leader(broker, request)).body)
  }

  /** Of a group that is there, in each of the broker groups; what is not named stays. Errors: `CLIENT_OPTION`. */
  async change(group: string, changes: Readonly<Record<string, string>>, which: Which = {}): Promise<void> {
    checkGroupName(group)
    checkWhich('change', which)
    checkTexts('changes', changes)
    const parsed = Object.entries(changes).map(([name, text]) => [name, parse(name, text)] as const)
    for (const { brokerName } of await this.#at.brokersOf(which)) {
      const before = await this.get(group, { broker: brokerName })
      const body = SubscriptionGroupConfig.encode({ ...before, attributes: new Map(), ...Object.fromEntries(parsed) })
      const request = { code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body }
      await this.#at.leader(await this.#at.brokerOf(brokerName), request)
    }
  }
}

function parse(name: string, text: string): boolean | number {
  const of = Object.hasOwn(settings, name) ? settings[name] : undefined
  if (of === undefined) {
    throw clientErrors.create('CLIENT_OPTION', `${name} is none of ${Object.keys(settings).join(', ')}`)
  }
  const value = of(text)
  if (value !== undefined) return value
  throw clientErrors.create('CLIENT_OPTION', `${name}: ${text} is no ${of === flag ? 'true or false' : 'whole number'}`)
}
