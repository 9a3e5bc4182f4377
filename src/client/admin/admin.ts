/** Administration: topics, groups, brokers. What `raftmq topic`, `group`, `status` and `transfer-leader` stand on. */
import { errorMessage } from '../../lib/errors.ts'
import { RaftmqCode, RequestCode } from '../../remoting/codes.ts'
import { checkText, checkTexts, checkWithin } from '../core/call-options.ts'
import { succeeded } from '../core/broker-api.ts'
import { field, integerOf, listOf, parseBody, rowsOf, textOf } from '../core/java-json.ts'
import { compareQueues, compareText } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { checkGroupName, checkTopicName } from '../core/names.ts'
import { checkKeys, checkOneOf } from '../core/options.ts'
import type { ClientOptions } from '../core/options.ts'
import type { BrokerGroup, TopicRoute } from '../core/topic-route.ts'
import { createTopicKeys, transferKeys } from './admin-types.ts'
import type {
  BrokerNode,
  CreateTopicOptions,
  GroupConfig,
  GroupQueueStats,
  LeaderTransfer,
  QueueStats,
} from './admin-types.ts'
import { AdminConnection } from './connection.ts'
import { changeMembers, checkChange, listMembers } from './member-admin.ts'
import type { GroupChange, GroupMembers, MemberAdminNeeds } from './member-admin.ts'
import { OrderedTopics } from './ordered-topics.ts'

export type {
  CreateTopicOptions,
  LeaderTransfer,
  QueueStats,
  GroupQueueStats,
  GroupConfig,
  BrokerNode,
} from './admin-types.ts'

const permissions = { r: 4, w: 2, rw: 6 } as const
const QUEUES = { low: 0, high: 2_147_483_647 }
const WITHIN = { low: 0, high: 86_400_000 }

/**
 * Errors of every method: `CLIENT_OPTION` and `CLIENT_MESSAGE_ILLEGAL` (of a topic's name) for what it does not take;
 * `CLIENT_NO_NAMESRV`, `CLIENT_NO_LEADER`, `CLIENT_REFUSED`, and as said.
 */
export class Admin {
  readonly #at: AdminConnection
  readonly #memberNeeds: MemberAdminNeeds

  /** On a connection that is there, or one of its own. */
  constructor(at: ClientOptions | AdminConnection) {
    this.#at = at instanceof AdminConnection ? at : new AdminConnection(at)
    const { invoke, options: resolved } = this.#at
    this.#memberNeeds = { groupOf: (broker) => this.#at.brokerOf(broker), invoke, clock: resolved.clock }
  }

  /** Closes the connection. */
  close(): void {
    this.#at.close()
  }

  /** All topics the name server knows, sorted. */
  async topics(): Promise<string[]> {
    const answer = await this.#at.namesrv({ code: RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER })
    return listOf(field(parseBody(answer.body), 'topicList'))
      .flatMap((topic) => textOf(topic) ?? [])
      .sort(compareText)
  }

  /** Undefined: it does not exist. */
  route(topic: string): Promise<TopicRoute | undefined> {
    return this.#at.route(topic)
  }

  /** The broker groups, sorted by name. */
  brokers(): Promise<BrokerGroup[]> {
    return this.#at.brokers()
  }

  /** Every registered node with what it tells of itself. A node that does not answer is in the list all the same. */
  async nodes(): Promise<BrokerNode[]> {
    const groups = await this.brokers()
    const places = groups.flatMap(({ brokerName, cluster, addresses }) =>
      [...addresses].map(([brokerId, address]) => ({ brokerName, cluster, brokerId, address })),
    )
    const nodes = await Promise.all(
      places.map(async (place): Promise<BrokerNode> => {
        try {
          return { ...place, runtime: await this.runtimeInfo(place.address), error: undefined }
        } catch (error) {
          return { ...place, runtime: undefined, error: errorMessage(error) }
        }
      }),
    )
    return nodes.sort((a, b) => compareText(a.brokerName, b.brokerName) || a.brokerId - b.brokerId)
  }

  /** The runtime information of one node, key by key. */
  async runtimeInfo(address: string): Promise<ReadonlyMap<string, string>> {
    checkText('address', address)
    const answer = succeeded(await this.#at.invoke(address, { code: RequestCode.GET_BROKER_RUNTIME_INFO }))
    const rows = rowsOf(field(parseBody(answer.body), 'table'))
    return new Map(rows.map(([key, value]) => [String(key), String(value)]))
  }

  /**
   * Creates the topic, or changes it; of an ordered one the name servers keep the queues that are written, too. Resolves
   * with the names of the broker groups that have it now.
   */
  async createTopic(options: CreateTopicOptions): Promise<string[]> {
    checkKeys(options, 'createTopic', createTopicKeys)
    const { topic, queues = 4, permission = 'rw', ordered = false, messageType } = options
    checkTopicName(topic)
    checkOneOf('permission', permission, Object.keys(permissions))
    for (const name of ['queues', 'readQueues', 'writeQueues'] as const) {
      checkWithin(name, options[name] ?? queues, QUEUES)
    }
    const header = {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: options.readQueues ?? queues,
      writeQueueNums: options.writeQueues ?? queues,
      perm: permissions[permission],
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: 0,
      order: ordered,
      attributes: messageType === undefined ? undefined : `+message.type=${messageType}`,
    }
    const groups = await this.#at.brokersOf(options)
    await Promise.all(
      groups.map((group) => this.#at.leader(group, { code: RequestCode.UPDATE_AND_CREATE_TOPIC, header })),
    )
    const names = groups.map((group) => group.brokerName)
    const made = { brokers: names, queues: header.writeQueueNums, inOneAlone: options.broker !== undefined }
    if (ordered) await new OrderedTopics(this.#at).made(topic, made)
    return names
  }

  /** Deletes the topic from its brokers and from the name servers, messages, kept queues and all. */
  async deleteTopic(topic: string): Promise<void> {
    const route = await this.#at.existing(topic)
    const header = { topic }
    await Promise.all(
      [...route.brokers.values()].map((group) =>
        this.#at.leader(group, { code: RequestCode.DELETE_TOPIC_IN_BROKER, header }),
      ),
    )
    for (const namesrv of this.#at.options.namesrv) {
      await this.#at.invoke(namesrv, { code: RequestCode.DELETE_TOPIC_IN_NAMESRV, header }).catch(() => undefined)
    }
    await new OrderedTopics(this.#at).delete(topic).catch(() => undefined)
  }

  /** Lowest and next offset of every queue, sorted. Errors: `CLIENT_NO_ROUTE`. */
  async topicStats(topic: string): Promise<QueueStats[]> {
    const route = await this.#at.existing(topic)
    const tables = await this.#at.bodies([...route.brokers.values()], {
      code: RequestCode.GET_TOPIC_STATS_INFO,
      header: { topic },
    })
    return tables
      .flatMap((table) => rowsOf(field(table, 'offsetTable')))
      .flatMap(([key, value]) => {
        const queue = queueOf(key)
        if (queue === undefined) return []
        const read = (name: string): number => integerOf(field(value, name)) ?? 0
        return [
          {
            queue,
            minOffset: read('minOffset'),
            maxOffset: read('maxOffset'),
            lastUpdateMs: read('lastUpdateTimestamp'),
          },
        ]
      })
      .sort((a, b) => compareQueues(a.queue, b.queue))
  }

  /** The subscription groups that the brokers know, sorted. */
  async groups(): Promise<GroupConfig[]> {
    const tables = await this.#at.bodies(await this.brokers(), { code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG })
    const groups = new Map<string, GroupConfig>()
    for (const [name, config] of tables.flatMap((table) => rowsOf(field(table, 'subscriptionGroupTable')))) {
      const group = String(name)
      const retryMaxTimes = integerOf(field(config, 'retryMaxTimes')) ?? 16
      groups.set(group, { group, retryMaxTimes, consumeEnable: field(config, 'consumeEnable') !== false })
    }
    return [...groups.values()].sort((a, b) => compareText(a.group, b.group))
  }

  async createGroup(group: string): Promise<void> {
    checkGroupName(group)
    const body = Buffer.from(JSON.stringify({ groupName: group }))
    for (const broker of await this.brokers()) {
      await this.#at.leader(broker, { code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body })
    }
  }

  async deleteGroup(group: string): Promise<void> {
    checkGroupName(group)
    const header = { groupName: group, cleanOffset: true }
    for (const broker of await this.brokers()) {
      await this.#at.leader(broker, { code: RequestCode.DELETE_SUBSCRIPTIONGROUP, header })
    }
  }

  /** How far a group is, queue by queue, sorted. Empty for a group that never committed anything. */
  async groupStats(group: string): Promise<GroupQueueStats[]> {
    checkGroupName(group)
    const request = { code: RequestCode.GET_CONSUME_STATS, header: { consumerGroup: group } }
    const tables = await this.#at.bodies(await this.brokers(), request)
    return tables
      .flatMap((table) => rowsOf(field(table, 'offsetTable')))
      .flatMap(([key, value]) => {
        const queue = queueOf(key)
        if (queue === undefined) return []
        const brokerOffset = integerOf(field(value, 'brokerOffset')) ?? 0
        const consumerOffset = integerOf(field(value, 'consumerOffset')) ?? 0
        return [{ queue, brokerOffset, consumerOffset, lag: brokerOffset - consumerOffset }]
      })
      .sort((a, b) => compareQueues(a.queue, b.queue))
  }

  /** Lets the node at `address` count votes of nodes whose logs are in doubt, until somebody leads (docs/durability.md). */
  async acceptDoubt(address: string): Promise<void> {
    checkText('address', address)
    succeeded(await this.#at.invoke(address, { code: RaftmqCode.ACCEPT_DOUBT }))
  }

  /** Changes properties of a broker group's leader (code 25): `key → value`, as in a file. */
  async updateConfig(broker: string, properties: Readonly<Record<string, string>>): Promise<void> {
    checkTexts('properties', properties)
    const lines = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
    const request = { code: RequestCode.UPDATE_BROKER_CONFIG, body: Buffer.from(lines.join('')) }
    await this.#at.leader(await this.#at.brokerOf(broker), request)
  }

  /** Gives the leadership of a group to one of its nodes. Resolves when the old leader says that it is done. */
  async transferLeader(transfer: LeaderTransfer): Promise<void> {
    checkKeys(transfer, 'transferLeader', transferKeys)
    const { broker, to } = transfer
    checkText('to', to)
    await this.#at.leader(await this.#at.brokerOf(broker), { code: RaftmqCode.TRANSFER_LEADERSHIP, header: { to } })
  }

  /** By the leader's word. */
  async members(broker: string): Promise<GroupMembers> {
    checkText('broker', broker)
    return listMembers(this.#memberNeeds, broker)
  }

  /** Resolves once it is so (`member-admin.ts`). `withinMs`: how long a node that is to vote may take to catch up. */
  async changeMembers(broker: string, change: GroupChange, withinMs = 60_000): Promise<void> {
    checkText('broker', broker)
    checkChange(change)
    checkWithin('withinMs', withinMs, WITHIN)
    return changeMembers(this.#memberNeeds, broker, change, withinMs)
  }
}

function queueOf(key: unknown): MessageQueue | undefined {
  const value = typeof key === 'string' ? parseBody(Buffer.from(key)) : key
  const topic = textOf(field(value, 'topic'))
  const brokerName = textOf(field(value, 'brokerName'))
  const queueId = integerOf(field(value, 'queueId'))
  return topic === undefined || brokerName === undefined || queueId === undefined
    ? undefined
    : { topic, brokerName, queueId }
}
