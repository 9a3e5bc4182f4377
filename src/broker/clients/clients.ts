/**
 * Who is connected: producers and consumers by group (RocketMQ ProducerManager, ConsumerManager). Volatile. On a
 * follower it holds the clients of its own connections; on the leader also those that followers report, so that its
 * consumer lists are whole. A consumer heartbeats to every broker of a route, so one client may be here over several
 * connections: lists name it once.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import type { ConsumerData } from '../../remoting/bodies/client.ts'
import { refusal } from '../errors.ts'
import { GroupMembers } from './group-members.ts'
import { Producers } from './producers.ts'
import { type Subscription, subscriptionOf } from './subscription.ts'

/** What one heartbeat says, as plain data: followers send it to the leader. */
export interface Heartbeat {
  readonly clientId: string
  /** A LanguageCode. */
  readonly language: number
  readonly version: number
  /** Where the client is seen, `ip:port`. */
  readonly address: string
  readonly producerGroups: readonly string[]
  readonly consumers: readonly ConsumerData[]
  /** The subscriptions were left out because the sender knows that they are known. */
  readonly withoutSubscriptions: boolean
}

/** The connection of a client: of this node, or of another by that node's number for it. */
export interface Place {
  /** Undefined: this node. */
  readonly node: string | undefined
  readonly connectionId: number
}

export interface Member {
  readonly clientId: string
  readonly language: number
  readonly version: number
  readonly address: string
  readonly place: Place
  readonly lastHeartbeatMs: number
  /** Wall time of the last heartbeat, for people. */
  readonly lastHeartbeatAtMs: number
}

export interface ConsumerGroup {
  /** CONSUME_ACTIVELY, CONSUME_PASSIVELY or CONSUME_POP. */
  readonly consumeType: string
  /** BROADCASTING or CLUSTERING. */
  readonly messageModel: string
  readonly consumeFromWhere: string | undefined
  readonly subscriptions: ReadonlyMap<string, Subscription>
  /** One per connection. */
  readonly members: Iterable<Member>
}

/** What a node shares with its leader: the same data that changed its own registry. */
export type ClientReport =
  | { readonly kind: 'heartbeat'; readonly connectionId: number; readonly heartbeat: Heartbeat }
  | {
      readonly kind: 'unregister'
      readonly connectionId: number
      readonly clientId: string
      readonly producerGroup: string | undefined
      readonly consumerGroup: string | undefined
    }
  | { readonly kind: 'closed'; readonly connectionId: number }

export interface ClientsNeeds {
  readonly clock: Clock
  readonly options: {
    /** RocketMQ channelExpiredTimeout. */
    readonly expireMs: number
    /** Memberships (a client in a group) at once; more heartbeats are refused with BROKER_BUSY. */
    readonly maxMembers: number
  }
}

interface Group {
  consumeType: string
  messageModel: string
  consumeFromWhere: string | undefined
  subscriptions: Map<string, Subscription>
  /** As they came, to be shared with a new leader. */
  data: ConsumerData
  readonly members: GroupMembers
}

const SWEEP_PERIOD_MS = 10_000

export class Clients {
  readonly #need: ClientsNeeds
  readonly #consumers = new Map<string, Group>()
  readonly #producers = new Producers((member) => keyOf(member.place))
  readonly #sweep: Timer
  readonly #changeListeners: ((group: string) => void)[] = []
  readonly #reportListeners: ((heartbeat: Heartbeat) => void)[] = []
  #memberCount = 0

  constructor(need: ClientsNeeds) {
    this.#need = need
    this.#sweep = need.clock.every(SWEEP_PERIOD_MS, () => this.#expire())
  }

  /** Calls `listener` whenever the members or the topics of a consumer group changed. */
  onGroupChanged(listener: (group: string) => void): void {
    this.#changeListeners.push(listener)
  }

  /** Calls `listener` with every heartbeat that another node reported, after it was taken. */
  onReported(listener: (heartbeat: Heartbeat) => void): void {
    this.#reportListeners.push(listener)
  }

  consumerGroup(group: string): ConsumerGroup | undefined {
    const found = this.#consumers.get(group)
    return found === undefined ? undefined : { ...found, members: found.members.values() }
  }

  subscription(group: string, topic: string): Subscription | undefined {
    return this.#consumers.get(group)?.subscriptions.get(topic)
  }

  /** Ids of the group's live consumers, each once, in order. */
  clientIds(group: string): readonly string[] {
    return this.#consumers.get(group)?.members.clientIds() ?? []
  }

  /** Changes whenever `clientIds` does. */
  membersDigest(group: string): string {
    return this.#consumers.get(group)?.members.digest ?? ''
  }

  /** Each live consumer of the group once, by a connection of this node where it has one. */
  consumers(group: string): Member[] {
    const byClient = new Map<string, Member>()
    for (const member of this.#consumers.get(group)?.members.values() ?? []) {
      const known = byClient.get(member.clientId)
      if (known === undefined || (known.place.node !== undefined && member.place.node === undefined)) {
        byClient.set(member.clientId, member)
      }
    }
    return [...byClient.values()]
  }

  consumer(group: string, clientId: string): Member | undefined {
    return this.consumers(group).find((member) => member.clientId === clientId)
  }

  producers(group: string): Member[] | undefined {
    return this.#producers.ofGroup(group)
  }

  /** A live producer by the id of its client, where it was heard last (RocketMQ ProducerManager.findChannel). */
  producer(clientId: string): Member | undefined {
    return this.#producers.byClient(clientId)
  }

  producerGroups(): string[] {
    return this.#producers.groups()
  }

  /** Consumer groups with a live subscription to the topic. */
  groupsOfTopic(topic: string): string[] {
    return [...this.#consumers].filter(([, group]) => group.subscriptions.has(topic)).map(([name]) => name)
  }

  /** Takes a heartbeat. Throws BROKER_BUSY when the registry is full. */
  heartbeat(heartbeat: Heartbeat, place: Place): void {
    const { clock, options } = this.#need
    if (
      this.#memberCount + this.#producers.count + heartbeat.consumers.length + heartbeat.producerGroups.length >
      options.maxMembers
    ) {
      throw refusal('BROKER_BUSY', `${this.#memberCount} clients are registered`)
    }
    const { clientId, language, version, address } = heartbeat
    const member: Member = {
      clientId,
      language,
      version,
      address,
      place,
      lastHeartbeatMs: clock.monotonicMs(),
      lastHeartbeatAtMs: clock.nowMs(),
    }
    for (const data of heartbeat.consumers) this.#joinConsumer(data, member, heartbeat.withoutSubscriptions)
    for (const group of heartbeat.producerGroups) this.#producers.join(group, member)
  }

  /** A client leaves groups in so many words: over whatever connection it is in them. */
  unregister(leaving: {
    readonly clientId: string
    readonly producerGroup: string | undefined
    readonly consumerGroup: string | undefined
  }): void {
    const isLeaving = (member: Member): boolean => member.clientId === leaving.clientId
    if (leaving.producerGroup !== undefined) this.#producers.remove(leaving.producerGroup, isLeaving)
    if (leaving.consumerGroup !== undefined) this.#removeConsumers(leaving.consumerGroup, isLeaving)
  }

  connectionClosed(place: Place): void {
    const key = keyOf(place)
    for (const group of this.#producers.groups()) {
      this.#producers.remove(group, (member) => keyOf(member.place) === key)
    }
    for (const [name, group] of this.#consumers) if (group.members.has(key)) this.#drop(name, group, [key])
  }

  /** A node is gone or restarted, and with it the connections it reported. */
  nodeLost(node: string): void {
    this.#remove((member) => member.place.node === node)
  }

  /** This node does not lead any more: what others reported is not kept up to date here. */
  forgetRemote(): void {
    this.#remove((member) => member.place.node !== undefined)
  }

  /** What a follower reported. */
  report(node: string, report: ClientReport): void {
    const place: Place = { node, connectionId: report.connectionId }
    if (report.kind === 'heartbeat') {
      this.heartbeat(report.heartbeat, place)
      for (const listener of this.#reportListeners) listener(report.heartbeat)
    } else if (report.kind === 'unregister') this.unregister(report)
    else this.connectionClosed(place)
  }

  /** Everything a new leader has to know of this node's own clients. */
  localReports(): ClientReport[] {
    const reports = new Map<string, { member: Member; producerGroups: string[]; consumers: ConsumerData[] }>()
    const of = (member: Member): { producerGroups: string[]; consumers: ConsumerData[] } => {
      const key = `${keyOf(member.place)}/${member.clientId}`
      let report = reports.get(key)
      if (report === undefined) reports.set(key, (report = { member, producerGroups: [], consumers: [] }))
      return report
    }
    for (const group of this.#producers.groups()) {
      for (const member of this.#producers.ofGroup(group) ?? [])
        if (isHere(member)) of(member).producerGroups.push(group)
    }
    for (const group of this.#consumers.values()) {
      for (const member of group.members.values()) if (isHere(member)) of(member).consumers.push(group.data)
    }
    return [...reports.values()].map(({ member, producerGroups, consumers }) => ({
      kind: 'heartbeat',
      connectionId: member.place.connectionId,
      heartbeat: {
        clientId: member.clientId,
        language: member.language,
        version: member.version,
        address: member.address,
        producerGroups,
        consumers,
        withoutSubscriptions: false,
      },
    }))
  }

  close(): void {
    this.#sweep.cancel()
  }

  #joinConsumer(data: ConsumerData, member: Member, withoutSubscriptions: boolean): void {
    const { consumeType, messageModel, consumeFromWhere } = data
    let group = this.#consumers.get(data.groupName)
    if (group === undefined) {
      const subscriptions = new Map<string, Subscription>()
      group = { consumeType, messageModel, consumeFromWhere, subscriptions, data, members: new GroupMembers() }
      this.#consumers.set(data.groupName, group)
    }
    group.consumeType = consumeType
    group.messageModel = messageModel
    group.consumeFromWhere = consumeFromWhere
    const key = keyOf(member.place)
    if (!group.members.has(key)) this.#memberCount++
    let isChanged = group.members.set(key, member)
    if (!withoutSubscriptions) {
      isChanged = updateSubscriptions(group, data) || isChanged
      group.data = data
    }
    if (isChanged) this.#tell(data.groupName)
  }

  #remove(isGone: (member: Member) => boolean): void {
    for (const group of this.#producers.groups()) this.#producers.remove(group, isGone)
    for (const group of this.#consumers.keys()) this.#removeConsumers(group, isGone)
  }

  #removeConsumers(name: string, isGone: (member: Member) => boolean): void {
    const group = this.#consumers.get(name)
    if (group === undefined) return
    const gone = [...group.members.entries()].filter(([, member]) => isGone(member))
    if (gone.length > 0)
      this.#drop(
        name,
        group,
        gone.map(([key]) => key),
      )
  }

  /** Whoever is a member over another connection stays one. */
  #drop(name: string, group: Group, keys: readonly string[]): void {
    let isChanged = false
    for (const key of keys) {
      isChanged = group.members.delete(key) || isChanged
      this.#memberCount--
    }
    if (group.members.size === 0) this.#consumers.delete(name)
    if (isChanged) this.#tell(name)
  }

  #tell(group: string): void {
    for (const listener of this.#changeListeners) listener(group)
  }

  #expire(): void {
    const oldestMs = this.#need.clock.monotonicMs() - this.#need.options.expireMs
    this.#remove((member) => member.lastHeartbeatMs < oldestMs)
  }
}

/** RocketMQ ConsumerGroupInfo.updateSubscription: true when a topic came or went. */
function updateSubscriptions(group: Group, data: ConsumerData): boolean {
  let isChanged = false
  const topics = new Set<string>()
  for (const subscription of data.subscriptionDataSet) {
    topics.add(subscription.topic)
    const known = group.subscriptions.get(subscription.topic)
    if (known === undefined) isChanged = true
    if (known === undefined || subscription.subVersion > known.data.subVersion) {
      group.subscriptions.set(subscription.topic, subscriptionOf(subscription))
    }
  }
  for (const topic of group.subscriptions.keys()) {
    if (topics.has(topic)) continue
    group.subscriptions.delete(topic)
    isChanged = true
  }
  return isChanged
}

function keyOf(place: Place): string {
  return `${place.node ?? ''}/${place.connectionId}`
}

function isHere(member: Member): boolean {
  return member.place.node === undefined
}
