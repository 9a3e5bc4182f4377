/** Where a topic lives, as a name server tells it (RocketMQ TopicRouteData). */
import { field, integerOf, isObject, listOf, parseBody, rowsOf, textOf } from './java-json.ts'
import { clientErrors } from './errors.ts'
import { compareQueues } from './message-queue.ts'
import type { MessageQueue } from './message-queue.ts'

/** One broker group. */
export interface BrokerGroup {
  readonly brokerName: string
  readonly cluster: string
  /** brokerId → `host:port`. 0 is the leader (RocketMQ's master); absent while there is none. */
  readonly addresses: ReadonlyMap<number, string>
}

export interface TopicRoute {
  readonly topic: string
  readonly brokers: ReadonlyMap<string, BrokerGroup>
  /**
   * Queues that may be written, sorted, those of leaderless groups included: a sharding key must not move to another
   * queue because a leader is away for a second.
   */
  readonly writeQueues: readonly MessageQueue[]
  /** Queues that may be read, sorted. */
  readonly readQueues: readonly MessageQueue[]
}

export const LEADER_ID = 0

const PERM_READ = 4
const PERM_WRITE = 2
/** More queues than any topic has (RocketMQ's BenchmarkTest: 1,024); a larger number is damage. */
const QUEUES_MAX = 65_536

export function leaderOf(group: BrokerGroup | undefined): string | undefined {
  return group?.addresses.get(LEADER_ID)
}

/**
 * Where stored messages of a group are read: at its leader, or while there is none at the member with the lowest brokerId,
 * as a slave that outlived its master (RocketMQ MQClientInstance.findBrokerAddressInSubscribe).
 */
export function readerOf(group: BrokerGroup | undefined): string | undefined {
  const leader = leaderOf(group)
  if (leader !== undefined || group === undefined) return leader
  const [first] = [...group.addresses].sort(([a], [b]) => a - b)
  return first?.[1]
}

/** Reads the body of a GET_ROUTEINFO_BY_TOPIC answer. Errors: `CLIENT_PROTOCOL`. */
export function parseTopicRoute(topic: string, body: Buffer): TopicRoute {
  const root = parseBody(body)
  if (!isObject(root)) throw clientErrors.create('CLIENT_PROTOCOL', `the route of ${topic} is no object`)
  const brokers = new Map<string, BrokerGroup>()
  for (const data of listOf(root['brokerDatas'])) {
    const group = parseBrokerGroup(data)
    if (group !== undefined) brokers.set(group.brokerName, group)
  }
  const writeQueues: MessageQueue[] = []
  const readQueues: MessageQueue[] = []
  for (const data of listOf(root['queueDatas'])) {
    const brokerName = textOf(field(data, 'brokerName'))
    if (brokerName === undefined || !brokers.has(brokerName)) continue
    const perm = integerOf(field(data, 'perm')) ?? 0
    const writes = (perm & PERM_WRITE) === 0 ? 0 : queueCount(topic, field(data, 'writeQueueNums'))
    const reads = (perm & PERM_READ) === 0 ? 0 : queueCount(topic, field(data, 'readQueueNums'))
    for (let queueId = 0; queueId < writes; queueId++) writeQueues.push({ topic, brokerName, queueId })
    for (let queueId = 0; queueId < reads; queueId++) readQueues.push({ topic, brokerName, queueId })
  }
  return { topic, brokers, writeQueues: writeQueues.sort(compareQueues), readQueues: readQueues.sort(compareQueues) }
}

/** One BrokerData, or undefined when it has no name. */
export function parseBrokerGroup(data: unknown): BrokerGroup | undefined {
  const brokerName = textOf(field(data, 'brokerName'))
  if (brokerName === undefined) return undefined
  const addresses = new Map<number, string>()
  for (const [id, address] of rowsOf(field(data, 'brokerAddrs'))) {
    const brokerId = integerOf(id)
    const text = textOf(address)
    if (brokerId !== undefined && text !== undefined) addresses.set(brokerId, text)
  }
  return { brokerName, cluster: textOf(field(data, 'cluster')) ?? '', addresses }
}

/**
 * The route under which a topic that does not exist yet may be created by sending to it: TBW102's brokers, with as many
 * queues as the broker will make (RocketMQ MQClientInstance.updateTopicRouteInfoFromNameServer).
 */
export function autoCreateRoute(topic: string, template: TopicRoute, defaultQueues: number): TopicRoute {
  const renamed = ({ brokerName, queueId }: MessageQueue): MessageQueue[] =>
    queueId < defaultQueues ? [{ topic, brokerName, queueId }] : []
  return {
    topic,
    brokers: template.brokers,
    writeQueues: template.writeQueues.flatMap(renamed),
    readQueues: template.readQueues.flatMap(renamed),
  }
}

/** What a send meets whose topic exists and may not be written, as while a broker's write permission is wiped. */
export function noWriteQueueError(topic: string): Error {
  return clientErrors.create('CLIENT_NO_ROUTE', `no queue of ${topic} may be written`)
}

/** Whether two routes say the same. */
export function sameRoute(a: TopicRoute | undefined, b: TopicRoute | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return fingerprint(a) === fingerprint(b)
}

function fingerprint(route: TopicRoute): string {
  const groups = [...route.brokers.values()]
    .map((group) => [group.brokerName, ...[...group.addresses].sort(([a], [b]) => a - b).flat()].join(','))
    .sort()
  return [...groups, queuesText(route.writeQueues), queuesText(route.readQueues)].join(';')
}

function queuesText(queues: readonly MessageQueue[]): string {
  return queues.map((queue) => `${queue.brokerName}/${queue.queueId}`).join(',')
}

function queueCount(topic: string, value: unknown): number {
  const count = integerOf(value) ?? 0
  if (count < 0 || count > QUEUES_MAX) throw clientErrors.create('CLIENT_PROTOCOL', `${topic} has ${count} queues`)
  return count
}
