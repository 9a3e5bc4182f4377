/** Which queues an ordered topic keeps while a broker group is away: a text at the name servers (RocketMQ UpdateOrderConfCommand). */
import { clientErrors } from '../core/errors.ts'
import { compareText } from '../core/message-queue.ts'
import { checkTopicName } from '../core/names.ts'
import type { AdminConnection } from './connection.ts'
import { NameServers } from './name-servers.ts'

/** NamesrvUtil.NAMESPACE_ORDER_TOPIC_CONFIG. */
const NAMESPACE = 'ORDER_TOPIC_CONFIG'
const SHAPE = /^[^:;\s]+:\d+(?:;[^:;\s]+:\d+)*$/

interface MadeOrdered {
  readonly brokers: readonly string[]
  readonly queues: number
  readonly inOneAlone: boolean
}

export class OrderedTopics {
  readonly #servers: NameServers

  constructor(at: AdminConnection) {
    this.#servers = new NameServers(at)
  }

  /** `broker-a:4;broker-b:4`; undefined: nothing is said, the queues are those of the brokers that are there. */
  get(topic: string): Promise<string | undefined> {
    return this.#servers.get(NAMESPACE, topic)
  }

  /** Errors: `CLIENT_OPTION` for what is no `broker:queues;…`. */
  async set(topic: string, queues: string): Promise<void> {
    checkTopicName(topic)
    if (!SHAPE.test(queues)) {
      throw clientErrors.create('CLIENT_OPTION', `${queues} is not of the form broker-a:4;broker-b:4`)
    }
    await this.#servers.put(NAMESPACE, topic, queues)
  }

  /**
   * The topic was made with so many queues in each of `brokers`. What is said of other groups stays where it was made in
   * one alone (RocketMQ UpdateTopicSubCommand, DefaultMQAdminExtImpl.createOrUpdateOrderConf).
   */
  async made(topic: string, { brokers, queues, inOneAlone }: MadeOrdered): Promise<void> {
    const before = inOneAlone ? ((await this.get(topic))?.split(';') ?? []) : []
    const others = before.filter((part) => !brokers.includes(part.split(':')[0] ?? ''))
    await this.set(topic, [...others, ...brokers.map((broker) => `${broker}:${queues}`)].sort(compareText).join(';'))
  }

  async delete(topic: string): Promise<void> {
    await this.#servers.delete(NAMESPACE, topic)
  }
}
