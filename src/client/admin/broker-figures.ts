/** What brokers tell of themselves: their configuration, who produces, how much goes through. */
import { BrokerStatsData } from '../../remoting/bodies/broker.ts'
import { ProducerTableInfo } from '../../remoting/bodies/client.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { refusal } from '../core/broker-api.ts'
import { compareText } from '../core/message-queue.ts'
import { readConfig } from './config-text.ts'
import { leaderAddress } from './connection.ts'
import type { AdminConnection } from './connection.ts'

export interface ConnectedProducer {
  readonly group: string
  readonly clientId: string
  readonly address: string
  readonly language: string
  readonly brokerName: string
}

/** Messages a second over the last minute, and messages since midnight. */
export interface Flow {
  readonly perSecond: number
  readonly today: number
}

const none: Flow = { perSecond: 0, today: 0 }

export class BrokerFigures {
  readonly #at: AdminConnection

  constructor(at: AdminConnection) {
    this.#at = at
  }

  /** Every key of the leader's configuration, as in a file. */
  async config(brokerName: string): Promise<ReadonlyMap<string, string>> {
    const answer = await this.#at.leader(await this.#at.brokerOf(brokerName), { code: RequestCode.GET_BROKER_CONFIG })
    return readConfig(answer.body)
  }

  /** The producers that are connected, sorted. */
  async producers(): Promise<ConnectedProducer[]> {
    const found: ConnectedProducer[] = []
    for (const broker of await this.#at.brokers()) {
      const answer = await this.#at.leader(broker, { code: RequestCode.GET_ALL_PRODUCER_INFO })
      for (const [group, clients] of ProducerTableInfo.decode(answer.body).data) {
        for (const { clientId, language, remoteIP } of clients) {
          found.push({ group, clientId, address: remoteIP, language, brokerName: broker.brokerName })
        }
      }
    }
    return found.sort((a, b) => compareText(a.group, b.group) || compareText(a.clientId, b.clientId))
  }

  /** What comes in for a topic, over all broker groups. */
  incoming(topic: string): Promise<Flow> {
    return this.#flow('TOPIC_PUT_NUMS', topic)
  }

  /** What a group takes of a topic. */
  outgoing(topic: string, group: string): Promise<Flow> {
    return this.#flow('GROUP_GET_NUMS', `${topic}@${group}`)
  }

  async #flow(statsName: string, statsKey: string): Promise<Flow> {
    const request = { code: RequestCode.VIEW_BROKER_STATS_DATA, header: { statsName, statsKey } }
    const flows = await Promise.all(
      (await this.#at.brokers()).map(async (broker) => {
        const answer = await this.#at.invoke(leaderAddress(broker), request)
        // A broker has no figures of what never came by.
        if (answer.code === ResponseCode.SYSTEM_ERROR) return none
        if (answer.code !== ResponseCode.SUCCESS) throw refusal(answer)
        const { statsMinute, statsDay } = BrokerStatsData.decode(answer.body)
        return { perSecond: statsMinute.tps, today: statsDay.sum }
      }),
    )
    return flows.reduce((a, b) => ({ perSecond: a.perSecond + b.perSecond, today: a.today + b.today }), none)
  }
}
