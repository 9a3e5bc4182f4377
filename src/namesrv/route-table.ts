/**
 * Who serves what: broker groups with their addresses, who of them is alive, and the topics they registered
 * (RocketMQ RouteInfoManager). Pure: the caller says what time it is and whose channel it is.
 *
 * A broker group speaks with the voice of its leader, and the Raft term is in `DataVersion.stateVersion`. A leader with
 * a lower one than the group has heard is an old leader, and is not listened to.
 */
import { noDataVersion, sameDataVersion, type DataVersion } from '../remoting/bodies/data-version.ts'
import type { BrokerData, ClusterInfo, QueueData, TopicRouteData } from '../remoting/bodies/route.ts'
import type { TopicConfigWrapper } from '../remoting/bodies/topic.ts'
import { PERM_WRITE, TopicTable } from './topic-table.ts'

export const LEADER_ID = 0
/** RocketMQ DEFAULT_BROKER_CHANNEL_EXPIRED_TIME. */
const HEARTBEAT_TIMEOUT_MS = 120_000
const SYNC_MEMBER_TOPIC = 'rmq_sys_SYNC_BROKER_MEMBER_'

export interface BrokerPlace {
  readonly clusterName: string
  readonly brokerName: string
  /** `host:port`. */
  readonly brokerAddr: string
}

/** By what a broker's registration came; compared by identity. */
export type Channel = object

export interface Registration extends BrokerPlace {
  /** 0 for the leader. */
  readonly brokerId: number
  readonly haServerAddr: string
  readonly zoneName: string | undefined
  readonly heartbeatTimeoutMs: number | undefined
  /** Undefined: a broker that knows nothing of acting masters (before 5.0, and ours). */
  readonly enableActingMaster: boolean | undefined
  readonly topics: TopicConfigWrapper
  readonly filterServers: readonly string[]
  readonly channel: Channel
}

export type RegistrationOutcome =
  /** `leader` as a follower is told it. */
  | { readonly kind: 'registered'; readonly leader?: { readonly address: string; readonly haServerAddr: string } }
  /** It was ignored: `newest` is the term that the group has heard. */
  | { readonly kind: 'fenced'; readonly newest: number }
  /** A single topic of a broker that is not registered (RocketMQ: "register broker failed"). */
  | { readonly kind: 'unknown-broker' }

interface Group {
  readonly cluster: string
  readonly brokerName: string
  /** Invariant: an address stands under one id at a time. */
  readonly addresses: Map<number, string>
  zoneName: string | undefined
  enableActingMaster: boolean
  /** The highest `stateVersion` that a leader of this group registered with. */
  leaderStateVersion: number
}

interface Live {
  readonly place: BrokerPlace
  readonly channel: Channel
  readonly haServerAddr: string
  readonly dataVersion: DataVersion
  readonly filterServers: readonly string[]
  readonly heartbeatTimeoutMs: number
  lastHeardMs: number
}

export interface RouteTableOptions {
  readonly supportActingMaster: boolean
  readonly deleteTopicWithBrokerRegistration: boolean
}

export class RouteTable {
  readonly topics = new TopicTable()
  readonly #options: () => RouteTableOptions
  readonly #groups = new Map<string, Group>()
  readonly #clusters = new Map<string, Set<string>>()
  readonly #live = new Map<string, Live>()

  constructor(options: () => RouteTableOptions) {
    this.#options = options
  }

  register(registration: Registration, nowMs: number): RegistrationOutcome {
    const { brokerName, brokerAddr, brokerId, topics } = registration
    const { stateVersion } = topics.dataVersion
    const newest = this.#newestHeard(registration)
    if (newest > stateVersion) {
      // RocketMQ takes the rejected address out of its tables; but a request that was late says nothing of the present.
      if ((this.#live.get(keyOf(registration))?.dataVersion.stateVersion ?? 0) <= stateVersion) this.#drop(registration)
      return { kind: 'fenced', newest }
    }
    const known = this.#groups.get(brokerName)
    const isFirst = known?.addresses.has(brokerId) !== true
    if (isFirst && topics.topicConfigTable.size === 1) return { kind: 'unknown-broker' }
    const group = known ?? this.#addGroup(registration)
    group.zoneName = registration.zoneName
    group.enableActingMaster = registration.enableActingMaster === true
    // Switch slave to master: first remove <1, IP:PORT>, then add <0, IP:PORT>.
    for (const [id, address] of group.addresses) {
      if (address === brokerAddr && id !== brokerId) group.addresses.delete(id)
    }
    group.addresses.set(brokerId, brokerAddr)
    if (brokerId === LEADER_ID) group.leaderStateVersion = stateVersion
    this.#takeTopics(registration, group, isFirst)
    this.#live.set(keyOf(registration), liveOf(registration, nowMs))
    return brokerId === LEADER_ID ? { kind: 'registered' } : this.#withLeader(group)
  }

  /** Takes an address out of its group; with the last one the group goes, and its topics. */
  unregister(place: BrokerPlace): void {
    this.#drop(place)
  }

  /** 904: the broker lives. One that is not registered is not listened to. */
  heartbeat(clusterName: string, brokerAddr: string, nowMs: number): void {
    const live = this.#live.get(keyOf({ clusterName, brokerAddr }))
    if (live !== undefined) live.lastHeardMs = nowMs
  }

  /** What the broker at that address registered last. */
  dataVersion(clusterName: string, brokerAddr: string): DataVersion | undefined {
    return this.#live.get(keyOf({ clusterName, brokerAddr }))?.dataVersion
  }

  /** The channel is gone: so is who registered by it, unless he registered by another one since. */
  channelClosed(channel: Channel): BrokerPlace[] {
    return this.#dropAll((live) => live.channel === channel)
  }

  /** Takes out who was silent for too long. Returns them with their channels. */
  expire(nowMs: number): (BrokerPlace & { readonly channel: Channel })[] {
    const silent = [...this.#live.values()].filter((live) => live.lastHeardMs + live.heartbeatTimeoutMs < nowMs)
    for (const live of silent) this.#drop(live.place)
    return silent.map((live) => ({ ...live.place, channel: live.channel }))
  }

  /** Undefined: no broker that is registered serves the topic. */
  route(topic: string): TopicRouteData | undefined {
    const queues = this.topics.queues(topic)
    if (queues === undefined) return undefined
    const groups = [...queues.keys()].flatMap((brokerName) => this.#groups.get(brokerName) ?? [])
    if (groups.length === 0) return undefined
    return {
      brokerDatas: groups.map((group) => this.#brokerData(group, topic, queues.get(group.brokerName))),
      filterServerTable: this.#filterServers(groups),
      orderTopicConf: undefined,
      queueDatas: [...queues.values()],
      topicQueueMappingByBroker: this.topics.mappings(topic),
    }
  }

  clusterInfo(): ClusterInfo {
    return {
      brokerAddrTable: new Map([...this.#groups].map(([name, group]) => [name, brokerDataOf(group, group.addresses)])),
      clusterAddrTable: new Map([...this.#clusters].map(([cluster, names]) => [cluster, [...names]])),
    }
  }

  /** Addresses of a group by broker id; empty when there is none. */
  members(brokerName: string): ReadonlyMap<number, string> {
    return new Map(this.#groups.get(brokerName)?.addresses)
  }

  hasGroup(brokerName: string): boolean {
    return this.#groups.has(brokerName)
  }

  groupsOf(clusterName: string): string[] {
    return [...(this.#clusters.get(clusterName) ?? [])]
  }

  topicsOfCluster(clusterName: string): string[] {
    return [...new Set(this.groupsOf(clusterName).flatMap((brokerName) => this.topics.namesOf(brokerName)))]
  }

  /** Topics that are named after clusters and groups, and any one broker to ask for more (code 304). */
  systemTopics(): { readonly topicList: string[]; readonly brokerAddr: string | undefined } {
    const topicList = new Set([...this.#clusters].flatMap(([cluster, names]) => [cluster, ...names]))
    const [first] = [...this.#groups.values()].flatMap((group) => [...group.addresses.values()])
    return { topicList: [...topicList], brokerAddr: first }
  }

  /** The newest term that speaks against this registration; 0 when none does. */
  #newestHeard(registration: Registration): number {
    const own = this.#live.get(keyOf(registration))?.dataVersion.stateVersion ?? 0
    if (registration.brokerId !== LEADER_ID) return own
    return Math.max(own, this.#groups.get(registration.brokerName)?.leaderStateVersion ?? 0)
  }

  #addGroup({ brokerName, clusterName }: BrokerPlace): Group {
    const group: Group = {
      cluster: clusterName,
      brokerName,
      addresses: new Map(),
      zoneName: undefined,
      enableActingMaster: false,
      leaderStateVersion: 0,
    }
    this.#groups.set(brokerName, group)
    const names = this.#clusters.get(clusterName) ?? new Set()
    this.#clusters.set(clusterName, names.add(brokerName))
    return group
  }

  #takeTopics(registration: Registration, group: Group, isFirst: boolean): void {
    const { brokerName, brokerId, topics } = registration
    const isPrimeSlave =
      registration.enableActingMaster !== undefined &&
      brokerId !== LEADER_ID &&
      brokerId === Math.min(...group.addresses.keys())
    if (brokerId !== LEADER_ID && !isPrimeSlave) return
    const previous = this.#live.get(keyOf(registration))?.dataVersion
    const changed = isFirst || previous === undefined || !sameDataVersion(previous, topics.dataVersion)
    if (this.#options().deleteTopicWithBrokerRegistration && topics.topicQueueMappingInfoMap.size === 0) {
      for (const topic of this.topics.namesOf(brokerName)) {
        if (!topics.topicConfigTable.has(topic)) this.topics.deleteOf(topic, brokerName)
      }
    }
    const mask = isPrimeSlave && group.enableActingMaster ? ~PERM_WRITE : -1
    for (const config of topics.topicConfigTable.values()) {
      if (changed || !this.topics.has(config.topicName, brokerName)) {
        this.topics.putConfig(brokerName, config, config.perm & mask)
      }
    }
    if (!changed) return
    for (const [topic, mapping] of topics.topicQueueMappingInfoMap) this.topics.putMapping(topic, mapping)
  }

  #withLeader(group: Group): RegistrationOutcome {
    const address = group.addresses.get(LEADER_ID)
    const live =
      address === undefined ? undefined : this.#live.get(keyOf({ clusterName: group.cluster, brokerAddr: address }))
    if (address === undefined || live === undefined) return { kind: 'registered' }
    return { kind: 'registered', leader: { address, haServerAddr: live.haServerAddr } }
  }

  #dropAll(matches: (live: Live) => boolean): BrokerPlace[] {
    const places = [...this.#live.values()].filter(matches).map((live) => live.place)
    for (const place of places) this.#drop(place)
    return places
  }

  #drop(place: BrokerPlace): void {
    this.#live.delete(keyOf(place))
    const group = this.#groups.get(place.brokerName)
    if (group === undefined) return
    for (const [id, address] of group.addresses) if (address === place.brokerAddr) group.addresses.delete(id)
    if (group.addresses.size > 0) {
      if (group.enableActingMaster && !group.addresses.has(LEADER_ID)) this.topics.wipeWrite(place.brokerName)
      return
    }
    this.#groups.delete(place.brokerName)
    const names = this.#clusters.get(group.cluster)
    names?.delete(place.brokerName)
    if (names?.size === 0) this.#clusters.delete(group.cluster)
    this.topics.deleteBroker(place.brokerName)
  }

  #brokerData(group: Group, topic: string, queues: QueueData | undefined): BrokerData {
    const { addresses } = group
    const actsForLeader =
      this.#options().supportActingMaster &&
      group.enableActingMaster &&
      !addresses.has(LEADER_ID) &&
      !topic.startsWith(SYNC_MEMBER_TOPIC) &&
      queues !== undefined &&
      (queues.perm & PERM_WRITE) === 0
    return brokerDataOf(group, actsForLeader ? withActingLeader(addresses) : addresses)
  }

  #filterServers(groups: readonly Group[]): ReadonlyMap<string, readonly string[]> {
    const servers = new Map<string, readonly string[]>()
    for (const { cluster, addresses } of groups) {
      for (const address of addresses.values()) {
        const live = this.#live.get(keyOf({ clusterName: cluster, brokerAddr: address }))
        if (live !== undefined && live.filterServers.length > 0) servers.set(address, live.filterServers)
      }
    }
    return servers
  }
}

function keyOf({ clusterName, brokerAddr }: { readonly clusterName: string; readonly brokerAddr: string }): string {
  return `${clusterName}\n${brokerAddr}`
}

function liveOf(registration: Registration, nowMs: number): Live {
  const { clusterName, brokerName, brokerAddr } = registration
  return {
    place: { clusterName, brokerName, brokerAddr },
    channel: registration.channel,
    haServerAddr: registration.haServerAddr,
    dataVersion: registration.topics.dataVersion ?? noDataVersion,
    filterServers: registration.filterServers,
    heartbeatTimeoutMs: registration.heartbeatTimeoutMs ?? HEARTBEAT_TIMEOUT_MS,
    lastHeardMs: nowMs,
  }
}

function brokerDataOf(group: Group, addresses: ReadonlyMap<number, string>): BrokerData {
  const { brokerName, cluster, enableActingMaster, zoneName } = group
  return { brokerAddrs: new Map(addresses), brokerName, cluster, enableActingMaster, zoneName }
}

function withActingLeader(addresses: ReadonlyMap<number, string>): ReadonlyMap<number, string> {
  const lowest = Math.min(...addresses.keys())
  return new Map([...addresses].map(([id, address]) => [id === lowest ? LEADER_ID : id, address]))
}
