/** How administration reaches name servers and brokers: one connection, shared by the classes for each noun. */
import { knownKeys } from '../../lib/known-keys.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import { queryRoute, refusal, succeeded } from '../core/broker-api.ts'
import type { Invoke, Request } from '../core/broker-api.ts'
import { checkText } from '../core/call-options.ts'
import { ClientCore } from '../core/client-core.ts'
import { clientErrors, noNamesrv, responseCodeOf } from '../core/errors.ts'
import { field, parseBody, rowsOf } from '../core/java-json.ts'
import { compareText } from '../core/message-queue.ts'
import { checkTopicName } from '../core/names.ts'
import { checkKeys, resolveAdminOptions } from '../core/options.ts'
import type { ClientOptions, ResolvedClientOptions } from '../core/options.ts'
import { LEADER_ID, leaderOf, parseBrokerGroup, readerOf } from '../core/topic-route.ts'
import type { BrokerGroup, TopicRoute } from '../core/topic-route.ts'

/** Which broker groups: the one of this name, or all of this cluster; all when neither is given. */
export interface Which {
  readonly broker?: string | undefined
  readonly cluster?: string | undefined
}

/** A part of the tables of those that take a `Which`. */
export const whichKeys = { broker: true, cluster: true } as const satisfies Record<keyof Which, true>
const keys = knownKeys<Which>(whichKeys)

/** Errors: `CLIENT_OPTION` for what is no `Which`. */
export function checkWhich(owner: string, which: Which): void {
  checkKeys(which, owner, keys)
}

/** Errors of every method: `CLIENT_NO_NAMESRV`, `CLIENT_NO_LEADER`, `CLIENT_REFUSED`, and as said. */
export class AdminConnection {
  readonly #core: ClientCore

  /** Errors: `CLIENT_OPTION`. */
  constructor(options: ClientOptions) {
    this.#core = new ClientCore({ options: resolveAdminOptions(options) })
  }

  get options(): ResolvedClientOptions {
    return this.#core.options
  }

  /** One request to one address; a response of any code is an answer. */
  get invoke(): Invoke {
    return this.#core.invoke
  }

  close(): void {
    this.#core.close()
  }

  /** The answer of whichever name server gives one. */
  async namesrv(request: Request): Promise<RemotingCommand> {
    const answer = await this.#core.invokeNamesrv(request)
    if (answer.code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED) throw noNamesrv(this.options.namesrv, refusal(answer))
    return succeeded(answer)
  }

  /** The answer of this name server, whatever its code. Errors: `CLIENT_NO_NAMESRV` where it gives none. */
  async namesrvAt(address: string, request: Request): Promise<RemotingCommand> {
    try {
      return await this.invoke(address, request)
    } catch (error) {
      throw noNamesrv([address], error)
    }
  }

  /** Tells all name servers, which do not tell each other. Errors: of the first that refused, all having been asked. */
  async allNamesrvs(request: Request): Promise<void> {
    const asked = this.options.namesrv.map(async (address) => succeeded(await this.namesrvAt(address, request)))
    for (const result of await Promise.allSettled(asked)) if (result.status === 'rejected') throw result.reason
  }

  /** The broker groups, sorted by name. */
  async brokers(): Promise<BrokerGroup[]> {
    const answer = parseBody((await this.namesrv({ code: RequestCode.GET_BROKER_CLUSTER_INFO })).body)
    return rowsOf(field(answer, 'brokerAddrTable'))
      .flatMap(([, data]) => parseBrokerGroup(data) ?? [])
      .sort((a, b) => compareText(a.brokerName, b.brokerName))
  }

  /** Errors: `CLIENT_OPTION` when there is none such. */
  async brokersOf({ broker, cluster }: Which): Promise<BrokerGroup[]> {
    const groups = (await this.brokers()).filter(
      (group) =>
        (broker === undefined || group.brokerName === broker) && (cluster === undefined || group.cluster === cluster),
    )
    if (groups.length > 0) return groups
    const what =
      broker === undefined ? (cluster === undefined ? 'broker group' : `cluster ${cluster}`) : `broker group ${broker}`
    throw clientErrors.create('CLIENT_OPTION', `there is no ${what}`)
  }

  async brokerOf(broker: string): Promise<BrokerGroup> {
    checkText('broker', broker)
    const [group] = await this.brokersOf({ broker })
    if (group === undefined) throw clientErrors.create('CLIENT_OPTION', `there is no broker group ${broker}`)
    return group
  }

  /** Undefined: the topic does not exist. Errors: `CLIENT_MESSAGE_ILLEGAL` for what is no name. */
  async route(topic: string): Promise<TopicRoute | undefined> {
    checkTopicName(topic)
    const { namesrv } = this.options
    for (const address of namesrv) {
      try {
        return await queryRoute(this.invoke, address, topic)
      } catch (error) {
        if (address === namesrv.at(-1)) throw noNamesrv(namesrv, error)
      }
    }
    return undefined
  }

  /** Errors: `CLIENT_NO_ROUTE`. */
  async existing(topic: string): Promise<TopicRoute> {
    const route = await this.route(topic)
    if (route === undefined) throw clientErrors.create('CLIENT_NO_ROUTE', `the topic ${topic} does not exist`)
    return route
  }

  /** What the leader of a group answers. */
  async leader(group: BrokerGroup, request: Request): Promise<RemotingCommand> {
    return succeeded(await this.invoke(leaderAddress(group), request))
  }

  /** The JSON answers of all leaders; a broker that says "not found" has nothing to add. */
  async bodies(groups: readonly BrokerGroup[], request: Request): Promise<unknown[]> {
    const bodies = await Promise.all(
      groups.map(async (group) => {
        try {
          return [parseBody((await this.leader(group, request)).body)]
        } catch (error) {
          if (responseCodeOf(error) === ResponseCode.TOPIC_NOT_EXIST) return []
          throw error
        }
      }),
    )
    return bodies.flat()
  }
}

/** Errors: `CLIENT_NO_LEADER`. */
export function leaderAddress(group: BrokerGroup): string {
  const address = leaderOf(group)
  if (address !== undefined) return address
  throw clientErrors.create('CLIENT_NO_LEADER', `${group.brokerName} has no leader now (brokerId ${LEADER_ID})`)
}

/** Where stored messages of a group are read (`readerOf`). Errors: `CLIENT_NO_LEADER`. */
export function readAddress(group: BrokerGroup): string {
  return readerOf(group) ?? leaderAddress(group)
}
