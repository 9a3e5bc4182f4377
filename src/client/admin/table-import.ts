/**
 * Takes over what RocketMQ's broker keeps in `config/`: topics.json, subscriptionGroup.json, consumerOffset.json, also their
 * `.bak`, of 4.x and 5.x. Made twice it is as once. What is not taken over is named with the reason.
 */
import { errorMessage } from '../../lib/errors.ts'
import { groupFault, isDlqTopic, isRetryTopic, isSystemGroup, isSystemTopic } from '../../message/topic-name.ts'
import { SubscriptionGroupConfig, SubscriptionGroupWrapper } from '../../remoting/bodies/group.ts'
import { ConsumerOffsetSerializeWrapper } from '../../remoting/bodies/queue.ts'
import { CreateTopicListRequestBody, TopicConfigWrapper } from '../../remoting/bodies/topic.ts'
import type { TopicConfig } from '../../remoting/bodies/topic.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { maxOffset, minOffset } from '../core/broker-api.ts'
import { clientErrors } from '../core/errors.ts'
import { field, parseBody } from '../core/java-json.ts'
import { compareText } from '../core/message-queue.ts'
import type { BrokerGroup } from '../core/topic-route.ts'
import { leaderAddress } from './connection.ts'
import type { AdminConnection } from './connection.ts'
import { GroupOffsets } from './group-offsets.ts'

export type ImportedKind = 'topic' | 'group' | 'offset'

export interface Imported {
  readonly kind: ImportedKind
  /** The topic's or the group's name; of an offset `group topic/queue`. */
  readonly name: string
  readonly result: 'made' | 'changed' | 'there already' | 'skipped'
  /** What was made of it, or why not. */
  readonly detail: string
}

/** A file as RocketMQ wrote it, read already. */
export interface ImportFile {
  readonly name: string
  readonly text: Buffer
}

type Importer = (broker: BrokerGroup, text: Buffer) => AsyncGenerator<Imported, undefined>

export class TableImport {
  readonly #at: AdminConnection
  readonly #offsets: GroupOffsets

  constructor(at: AdminConnection) {
    this.#at = at
    this.#offsets = new GroupOffsets(at)
  }

  /**
   * Into one broker group; topics and groups before offsets, whatever the order of the files. Errors: `CLIENT_OPTION` for a
   * file that is none of the three or cannot be read, before anything is changed.
   */
  async *into(broker: string, files: readonly ImportFile[]): AsyncGenerator<Imported, undefined> {
    const group = await this.#at.brokerOf(broker)
    const steps = files.map((file) => ({ ...kindOf(file), text: file.text }))
    for (const { name, text } of [...steps].sort((a, b) => a.order - b.order)) {
      yield* this.#importers[name](group, text)
    }
    return undefined
  }

  readonly #importers: Readonly<Record<'topics' | 'groups' | 'offsets', Importer>> = {
    topics: (broker, text) => this.#topics(broker, text),
    groups: (broker, text) => this.#groups(broker, text),
    offsets: (broker, text) => this.#consumerOffsets(broker, text),
  }

  async *#topics(broker: BrokerGroup, text: Buffer): AsyncGenerator<Imported, undefined> {
    const wanted = plainAttributes(TopicConfigWrapper.decode(text).topicConfigTable)
    const answer = await this.#at.leader(broker, { code: RequestCode.GET_ALL_TOPIC_CONFIG })
    const here = TopicConfigWrapper.decode(answer.body).topicConfigTable
    const kind = 'topic'
    for (const [name, config] of sorted(wanted)) {
      const why = topicSkipped(name, config, broker)
      const known = here.get(name)
      if (why !== undefined) yield { kind, name, result: 'skipped', detail: why }
      else if (known !== undefined && topicText(known) === topicText(config)) {
        yield { kind, name, result: 'there already', detail: topicText(config) }
      } else {
        const attributes = new Map([...config.attributes].map(([key, value]) => [`+${key}`, value]))
        const body = CreateTopicListRequestBody.encode({ topicConfigList: [{ ...config, attributes }] })
        const request = { code: RequestCode.UPDATE_AND_CREATE_TOPIC_LIST, body }
        const result = known === undefined ? 'made' : 'changed'
        yield await this.#made({ kind, name, result, detail: topicText(config) }, () =>
          this.#at.leader(broker, request),
        )
      }
    }
    return undefined
  }

  async *#groups(broker: BrokerGroup, text: Buffer): AsyncGenerator<Imported, undefined> {
    const wanted = SubscriptionGroupWrapper.decode(text).subscriptionGroupTable
    const answer = await this.#at.leader(broker, { code: RequestCode.GET_ALL_SUBSCRIPTIONGROUP_CONFIG })
    const here = SubscriptionGroupWrapper.decode(answer.body).subscriptionGroupTable
    const kind = 'group'
    for (const [name, config] of sorted(wanted)) {
      const fault = isSystemGroup(name) ? 'brokers know it by themselves' : groupFault(name)
      const known = here.get(name)
      const detail = `${config.retryMaxTimes} redeliveries${config.consumeEnable ? '' : ', consuming forbidden'}`
      if (fault !== undefined) yield { kind, name, result: 'skipped', detail: fault }
      else if (known !== undefined && groupBytes(known).equals(groupBytes(config))) {
        yield { kind, name, result: 'there already', detail }
      } else {
        const request = { code: RequestCode.UPDATE_AND_CREATE_SUBSCRIPTIONGROUP, body: groupBytes(config) }
        const result = known === undefined ? 'made' : 'changed'
        yield await this.#made({ kind, name, result, detail }, () => this.#at.leader(broker, request))
      }
    }
    return undefined
  }

  /** Only offsets inside their queues: one beyond the end would have the group wait for messages that others pass over. */
  async *#consumerOffsets(broker: BrokerGroup, text: Buffer): AsyncGenerator<Imported, undefined> {
    const here = await this.#offsets.table(broker.brokerName)
    const answer = await this.#at.leader(broker, { code: RequestCode.GET_ALL_TOPIC_CONFIG })
    const topics = TopicConfigWrapper.decode(answer.body).topicConfigTable
    for (const [key, queues] of sorted(ConsumerOffsetSerializeWrapper.decode(text).offsetTable)) {
      const [topic = '', group = ''] = key.split('@')
      for (const [queueId, queueOffset] of [...queues].sort(([a], [b]) => a - b)) {
        const row = { topic, group, queueId, queueOffset, known: here.get(key)?.get(queueId) }
        yield await this.#consumerOffset(broker, row, topics.get(topic)?.readQueueNums)
      }
    }
    return undefined
  }

  async #consumerOffset(broker: BrokerGroup, row: OffsetRow, queues: number | undefined): Promise<Imported> {
    const { topic, group, queueId, queueOffset, known } = row
    const made = { kind: 'offset', name: `${group} ${topic}/${queueId}`, detail: `${queueOffset}` } as const
    const why = offsetSkipped(row, queues)
    if (why !== undefined) return { ...made, result: 'skipped', detail: why }
    if (known === queueOffset) return { ...made, result: 'there already' }
    const queue = { topic, brokerName: broker.brokerName, queueId }
    const { low, high } = await this.#bounds(broker, queue)
    if (queueOffset < low || queueOffset > high) {
      const detail = `${queueOffset} is outside the queue’s messages here, ${low} to ${high}`
      return { ...made, result: 'skipped', detail }
    }
    const result = known === undefined ? 'made' : 'changed'
    return this.#made({ ...made, result }, () => this.#offsets.commit(group, { queue, queueOffset }))
  }

  async #bounds(
    broker: BrokerGroup,
    queue: { readonly topic: string; readonly brokerName: string; readonly queueId: number },
  ): Promise<{ readonly low: number; readonly high: number }> {
    const address = leaderAddress(broker)
    const { invoke } = this.#at
    const [low, high] = await Promise.all([minOffset(invoke, address, queue), maxOffset(invoke, address, queue)])
    return { low, high }
  }

  /** A refusal ends the row, not the import. */
  async #made(row: Imported, work: () => Promise<unknown>): Promise<Imported> {
    try {
      await work()
      return row
    } catch (error) {
      return { ...row, result: 'skipped', detail: errorMessage(error) }
    }
  }
}

interface OffsetRow {
  readonly topic: string
  readonly group: string
  readonly queueId: number
  readonly queueOffset: number
  /** Where the group is here. */
  readonly known: number | undefined
}

function offsetSkipped({ topic, group, queueId, queueOffset, known }: OffsetRow, queues = 0): string | undefined {
  if (group === '' || groupFault(group) !== undefined) return 'that is no topic@group'
  if (isSystemGroup(group) || isSystemTopic(topic)) return 'the broker’s own'
  if (queues === 0) return 'there is no such topic here'
  if (queueId >= queues) return `the topic has ${queues} queues here`
  if (known !== undefined && known > queueOffset) return `the group is at ${known} here already`
  return undefined
}

/** What a file is, by the table that it holds. */
function kindOf({ name, text }: ImportFile): {
  readonly order: number
  readonly name: 'topics' | 'groups' | 'offsets'
} {
  let content: unknown
  try {
    content = parseBody(text)
  } catch (error) {
    throw clientErrors.create('CLIENT_OPTION', `${name} is no JSON`, error)
  }
  for (const [order, [table, kind]] of tables.entries()) {
    if (field(content, table) !== undefined) return { order, name: kind }
  }
  const known = tables.map(([table]) => table).join(', ')
  throw clientErrors.create('CLIENT_OPTION', `${name} is none of RocketMQ’s tables: it has no ${known}`)
}

const tables = [
  ['topicConfigTable', 'topics'],
  ['subscriptionGroupTable', 'groups'],
  ['offsetTable', 'offsets'],
] as const

function topicSkipped(name: string, config: TopicConfig, { brokerName, cluster }: BrokerGroup): string | undefined {
  if (isSystemTopic(name) || name === brokerName || name === cluster || name.endsWith('_REPLY_TOPIC')) {
    return 'brokers make it themselves'
  }
  if (isRetryTopic(name) || isDlqTopic(name)) return 'it is made when its group needs it'
  if (config.attributes.get('cleanup.policy') === 'COMPACTION') return 'compaction is not supported'
  if (config.attributes.get('queue.type') === 'BatchCQ') return 'batch queues are not supported'
  return undefined
}

/** Some versions of RocketMQ wrote the sign of the change that had set an attribute. */
function plainAttributes(topics: ReadonlyMap<string, TopicConfig>): ReadonlyMap<string, TopicConfig> {
  const plain = [...topics].map(([name, config]): [string, TopicConfig] => {
    const attributes = [...config.attributes].map(([key, value]): [string, string] => [key.replace(/^\+/, ''), value])
    return [name, { ...config, attributes: new Map(attributes) }]
  })
  return new Map(plain)
}

function topicText({ readQueueNums, writeQueueNums, perm, order, attributes }: TopicConfig): string {
  const queues =
    readQueueNums === writeQueueNums ? `${readQueueNums}` : `${readQueueNums} read, ${writeQueueNums} write`
  const more = sorted(attributes).map(([key, value]) => `, ${key}=${value}`)
  return `${queues} queues, perm ${perm}${order ? ', ordered' : ''}${more.join('')}`
}

function groupBytes(config: SubscriptionGroupConfig): Buffer {
  return SubscriptionGroupConfig.encode(config)
}

function sorted<Value>(rows: ReadonlyMap<string, Value>): [string, Value][] {
  return [...rows].sort(([a], [b]) => compareText(a, b))
}
