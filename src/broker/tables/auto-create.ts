/**
 * Topics and groups that are made because somebody uses them: a send to an unknown topic, a consumer group's first
 * heartbeat (RocketMQ createTopicInSendMessageMethod, createTopicInSendMessageBackMethod, findSubscriptionGroupConfig).
 * What is there is answered at once; what must be made is a command, one however many ask meanwhile.
 */
import { dlqTopic, groupFault, retryTopic, SystemTopic } from '../../message/topic-name.ts'
import type { Command, Proposals } from '../needs.ts'
import { type SubscriptionGroup, type SubscriptionGroups, subscriptionGroup } from './subscription-groups.ts'
import { Perm, TOPIC_QUEUES_MAX, type TopicConfig, type Topics, topicConfig } from './topics.ts'

export interface AutoCreateNeeds {
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly proposals: Pick<Proposals, 'command'>
  readonly options: { readonly autoCreateTopicEnable: boolean; readonly autoCreateSubscriptionGroup: boolean }
}

type Now<T> = T | Promise<T>

export class AutoCreate {
  readonly #need: AutoCreateNeeds
  /** Commands in flight, by table and name. */
  readonly #making = new Map<string, Promise<unknown>>()

  constructor(need: AutoCreateNeeds) {
    this.#need = need
  }

  /** The group, made if it may be; undefined when it may not, or its name is illegal. */
  group(name: string): Now<SubscriptionGroup | undefined> {
    const { groups, options } = this.#need
    const known = groups.get(name)
    if (known !== undefined) return known
    if (!options.autoCreateSubscriptionGroup || groupFault(name) !== undefined) return undefined
    const command = groups.commands.create(subscriptionGroup(name))
    return this.#make(name, command, () => groups.get(name))
  }

  /** The topic of a send, made like `defaultTopic` when that is to be inherited from; undefined when it is not. */
  topicOfSend(given: {
    readonly topic: string
    readonly defaultTopic: string
    readonly queueNums: number
    readonly sysFlag: number
  }): Now<TopicConfig | undefined> {
    const { topics, options } = this.#need
    const { topic, defaultTopic } = given
    const known = topics.get(topic)
    if (known !== undefined) return known
    const like = topics.get(defaultTopic)
    const mayInherit = defaultTopic !== SystemTopic.autoCreate || options.autoCreateTopicEnable
    if (like === undefined || !mayInherit || (like.perm & Perm.inherit) === 0) return undefined
    const queueNums = Math.max(0, Math.min(given.queueNums, like.writeQueueNums, TOPIC_QUEUES_MAX))
    return this.topic(
      topicConfig(topic, {
        readQueueNums: queueNums,
        writeQueueNums: queueNums,
        perm: like.perm & ~Perm.inherit,
        topicSysFlag: given.sysFlag,
        topicFilterType: like.topicFilterType,
      }),
    )
  }

  /** The group's retry topic; its order flag follows what the group subscribes to. */
  retryTopic(
    group: SubscriptionGroup,
    given: { readonly sysFlag: number; readonly order?: boolean },
  ): Now<TopicConfig> {
    const queueNums = group.retryQueueNums
    return this.topic(
      topicConfig(retryTopic(group.groupName), {
        readQueueNums: queueNums,
        writeQueueNums: queueNums,
        topicSysFlag: given.sysFlag,
        order: given.order ?? false,
      }),
    )
  }

  /** The topic where a group's messages end that nobody could consume. */
  dlqTopic(group: string): Now<TopicConfig> {
    return this.topic(topicConfig(dlqTopic(group), { readQueueNums: 1, writeQueueNums: 1 }))
  }

  /** The topic, made as given when it is not there. */
  topic(row: TopicConfig): Now<TopicConfig> {
    const { topics } = this.#need
    const known = topics.get(row.topicName)
    if (known !== undefined) return known
    return this.#make(row.topicName, topics.commands.create(row), () => topics.get(row.topicName) ?? row)
  }

  async #make<T>(name: string, command: Command, read: () => T): Promise<T> {
    const key = `${command.table}/${name}`
    let making = this.#making.get(key)
    if (making === undefined) {
      making = this.#need.proposals.command(command).finally(() => this.#making.delete(key))
      this.#making.set(key, making)
    }
    await making
    return read()
  }
}
