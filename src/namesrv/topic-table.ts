/** Topic → broker name → its queues, and the mappings of static topics (RocketMQ RouteInfoManager.topicQueueTable). */
import type { QueueData, TopicRouteData } from '../remoting/bodies/route.ts'
import type { TopicConfig, TopicQueueMappingInfo } from '../remoting/bodies/topic.ts'

export const PERM_WRITE = 2
const PERM_READ = 4
/** RocketMQ TopicSysFlag. */
const FLAG_UNIT = 1
const FLAG_UNIT_SUB = 2

/** Which topics codes 311, 312 and 313 list, by the flags of the topic. */
export const unitTopics = {
  unit: (flags: number) => (flags & FLAG_UNIT) !== 0,
  withUnitSubscription: (flags: number) => (flags & FLAG_UNIT_SUB) !== 0,
  withUnitSubscriptionOnly: (flags: number) => (flags & FLAG_UNIT) === 0 && (flags & FLAG_UNIT_SUB) !== 0,
} as const

export class TopicTable {
  readonly #topics = new Map<string, Map<string, QueueData>>()
  readonly #mappings = new Map<string, Map<string, TopicQueueMappingInfo>>()

  names(): string[] {
    return [...this.#topics.keys()]
  }

  namesOf(brokerName: string): string[] {
    return this.names().filter((topic) => this.has(topic, brokerName))
  }

  namesByFlags(matches: (flags: number) => boolean): string[] {
    return this.names().filter((topic) => {
      const [first] = this.#topics.get(topic)?.values() ?? []
      return first !== undefined && matches(first.topicSysFlag)
    })
  }

  has(topic: string, brokerName: string): boolean {
    return this.#topics.get(topic)?.has(brokerName) === true
  }

  queues(topic: string): ReadonlyMap<string, QueueData> | undefined {
    return this.#topics.get(topic)
  }

  mappings(topic: string): TopicRouteData['topicQueueMappingByBroker'] {
    return this.#mappings.get(topic)
  }

  put(topic: string, queues: QueueData): void {
    const byBroker = this.#topics.get(topic)
    if (byBroker === undefined) this.#topics.set(topic, new Map([[queues.brokerName, queues]]))
    else byBroker.set(queues.brokerName, queues)
  }

  putConfig(brokerName: string, config: TopicConfig, perm: number): void {
    const { readQueueNums, writeQueueNums, topicSysFlag } = config
    this.put(config.topicName, { brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums })
  }

  putMapping(topic: string, mapping: TopicQueueMappingInfo): void {
    const byBroker = this.#mappings.get(topic) ?? new Map<string, TopicQueueMappingInfo>()
    this.#mappings.set(topic, byBroker.set(mapping.bname ?? '', mapping))
  }

  delete(topic: string): void {
    this.#topics.delete(topic)
    this.#mappings.delete(topic)
  }

  deleteOf(topic: string, brokerName: string): void {
    const byBroker = this.#topics.get(topic)
    byBroker?.delete(brokerName)
    this.#mappings.get(topic)?.delete(brokerName)
    if (byBroker?.size === 0) this.delete(topic)
  }

  deleteBroker(brokerName: string): void {
    for (const topic of this.names()) this.deleteOf(topic, brokerName)
  }

  /** Takes the right to write to `brokerName` out of all routes. Returns how many topics it has. */
  wipeWrite(brokerName: string): number {
    return this.#changePerm(brokerName, (perm) => perm & ~PERM_WRITE)
  }

  /** Gives it back; the other bits are lost, as in RocketMQ. */
  addWrite(brokerName: string): number {
    return this.#changePerm(brokerName, () => PERM_READ | PERM_WRITE)
  }

  #changePerm(brokerName: string, change: (perm: number) => number): number {
    let count = 0
    for (const byBroker of this.#topics.values()) {
      const queues = byBroker.get(brokerName)
      if (queues === undefined) continue
      byBroker.set(brokerName, { ...queues, perm: change(queues.perm) })
      count += 1
    }
    return count
  }
}
