/**
 * The configuration of a broker node: from a RocketMQ `.properties` file to the typed values that the node is built
 * with. `options-table.ts` has the keys that are honoured, `options-rocketmq.ts` the others that RocketMQ has.
 */
import { formatOptions, impossible, invalidOptions, readOptions, type OptionValues } from '../../lib/options.ts'
import type { Properties, PropertyEntry } from '../../lib/properties.ts'
import { unsupported, withoutMeaning } from './options-rocketmq.ts'
import { brokerOptionTable } from './options-table.ts'
import { parseAddress, type Address, type PeerPlace } from './options-values.ts'

type TableValues = OptionValues<typeof brokerOptionTable>

/** Keys that are unset in most files, and what the machine says in their place. */
type Filled = 'brokerName' | 'brokerIP1' | 'brokerIP2' | 'storePathRootDir' | 'storePathCommitLog' | 'dLegerGroup'

/** Every option of a node, resolved: nothing is left to be guessed. Keys and units are those of the file. */
export interface BrokerOptions extends Omit<TableValues, Filled | 'namesrvAddr' | 'raftListen' | 'raftAdvertisedPort'> {
  readonly brokerName: string
  readonly brokerIP1: string
  readonly brokerIP2: string
  readonly storePathRootDir: string
  readonly storePathCommitLog: string
  readonly dLegerGroup: string
  /** Empty: the node registers nowhere. */
  readonly namesrvAddr: readonly Address[]
  /** What clients are told: brokerIP1 with raftAdvertisedPort, else with listenPort. */
  readonly advertised: Address
  /** Without enableDLegerCommitLog: what the node is. Undefined for a member of a group. */
  readonly role: 'master' | 'slave' | undefined
  /** This node's id: dLegerSelfId; of a master `n0`; of a slave the one its master gave it, `''` before. */
  readonly nodeId: string
  /** The members of the group at the addresses they tell each other, this node included; a master or a slave alone. */
  readonly peers: readonly PeerPlace[]
  /** The other members at the addresses this node dials. */
  readonly dialPeers: readonly PeerPlace[]
  /** Where peers connect. */
  readonly peerListen: Address
  /** slaveReadEnable: a pull that is so many bytes behind the end of the log is better served by a slave. */
  readonly slowPullBytes: number
}

/** What a file does not say and the machine knows. */
export interface Machine {
  readonly hostName: string
  readonly homeFolder: string
  /** The first address of this machine that others may reach; 127.0.0.1 if there is none. */
  readonly localAddress: string
  /** `NAMESRV_ADDR` of the environment. */
  readonly namesrvAddr: string | undefined
  readonly memoryBytes: number
}

/** The id of a master: it is the first of its group, and the only one that votes. */
export const MASTER_NODE_ID = 'n0'

export interface BrokerConfiguration {
  readonly options: BrokerOptions
  /** Every honoured key with its effective value, as a file would say it. */
  readonly effective: readonly (readonly [key: string, value: string])[]
  /** The keys that the file gives a value. */
  readonly said: ReadonlySet<string>
  /** One line each: keys that would change what the broker does and do not, and keys nobody knows. */
  readonly warnings: readonly string[]
}

/**
 * Reads a broker's configuration.
 * @throws `OPTIONS_INVALID`: one line for each impossible value with file, line, key and what is allowed.
 */
export function readBrokerOptions(properties: Properties, machine: Machine): BrokerConfiguration {
  const values = readOptions(brokerOptionTable, properties)
  const problems = rules.flatMap((rule) => rule(values) ?? []).map((problem) => locate(properties, values, problem))
  if (problems.length > 0) throw invalidOptions(problems)
  const options = resolve(values, machine)
  const lack = lackOfNamesrv(options)
  if (lack !== undefined) throw invalidOptions([locate(properties, values, lack)])
  const filled = { ...values, ...options, raftListen: options.peerListen, raftAdvertisedPort: options.advertised.port }
  return {
    options,
    effective: formatOptions(brokerOptionTable, filled),
    said: new Set(properties.entries.flatMap(({ key, value }) => (value === '' ? [] : [key]))),
    warnings: properties.entries.flatMap((entry) => warning(properties, entry)),
  }
}

function resolve(values: TableValues, machine: Machine): BrokerOptions {
  const { raftListen, raftAdvertisedPort, ...said } = values
  const { bindAddress } = said
  const brokerName = values.brokerName ?? machine.hostName
  const storePathRootDir = values.storePathRootDir ?? joinPath(machine.homeFolder, 'store')
  const brokerIP1 = values.brokerIP1 ?? machine.localAddress
  const brokerIP2 = values.brokerIP2 ?? brokerIP1
  const haListenPort = haPort(values)
  const role = values.enableDLegerCommitLog ? undefined : values.brokerRole === 'SLAVE' ? 'slave' : 'master'
  const nodeId = role === undefined ? (values.dLegerSelfId ?? '') : role === 'master' ? MASTER_NODE_ID : ''
  const peers = role === undefined ? (values.dLegerPeers ?? []) : [{ id: nodeId, host: brokerIP2, port: haListenPort }]
  const self = peers.find(({ id }) => id === nodeId)
  const dialed = new Map(values.raftPeerAddresses.map((place) => [place.id, place]))
  return {
    ...said,
    brokerName,
    brokerIP1,
    brokerIP2,
    haListenPort,
    storePathRootDir,
    storePathCommitLog: values.storePathCommitLog ?? joinPath(storePathRootDir, 'commitlog'),
    dLegerGroup: values.dLegerGroup ?? brokerName,
    namesrvAddr: values.namesrvAddr ?? namesrvOf(machine),
    advertised: { host: brokerIP1, port: raftAdvertisedPort ?? values.listenPort },
    role,
    nodeId,
    peers,
    dialPeers: peers.filter(({ id }) => id !== nodeId).map((peer) => dialed.get(peer.id) ?? peer),
    peerListen: raftListen ?? { host: bindAddress, port: self?.port ?? haListenPort },
    slowPullBytes: (machine.memoryBytes * values.accessMessageInMemoryMaxRatio) / 100,
  }
}

/** As a slave that joined its group under `nodeId`. */
export function joinedAs(options: BrokerOptions, nodeId: string): BrokerOptions {
  return { ...options, nodeId, peers: options.peers.map((place) => ({ ...place, id: nodeId })) }
}

/** RocketMQ BrokerStartup: the port beside the one for clients, where nothing is said. */
const haPort = ({ haListenPort, listenPort }: TableValues): number =>
  haListenPort === 0 ? listenPort + 1 : haListenPort

function namesrvOf(machine: Machine): readonly Address[] {
  const parts = (machine.namesrvAddr ?? '').split(';').filter((part) => part.trim() !== '')
  return parts.map((part) => {
    const place = parseAddress(part.trim())
    if (place === undefined) {
      throw invalidOptions([
        `NAMESRV_ADDR of the environment is ${JSON.stringify(machine.namesrvAddr)}, it must be addresses host:port with ";" between them`,
      ])
    }
    return place
  })
}

/** A path below a folder, by the separator that the folder is written with. */
function joinPath(folder: string, name: string): string {
  const separator = folder.includes('\\') && !folder.includes('/') ? '\\' : '/'
  return folder.endsWith(separator) ? folder + name : folder + separator + name
}

type Key = keyof typeof brokerOptionTable

/** A value that is possible by itself and impossible beside the others. */
interface Problem {
  readonly key: Key
  readonly allowed: string
}

type Rule = (values: TableValues) => Problem | undefined

const rules: readonly Rule[] = [
  (v) =>
    must(
      v.enableDLegerCommitLog || v.brokerRole !== 'SLAVE' || v.brokerId > 0,
      'brokerId',
      'above 0 with brokerRole=SLAVE: its number beside its master, which is 0',
    ),
  (v) =>
    must(
      v.enableDLegerCommitLog || v.brokerRole === 'SLAVE' || v.brokerId === 0,
      'brokerId',
      `0 with brokerRole=${v.brokerRole}: only slaves have other numbers`,
    ),
  (v) =>
    must(
      v.enableDLegerCommitLog || (haPort(v) !== v.listenPort && haPort(v) <= 65_535),
      'haListenPort',
      'another port than listenPort, and one that exists: clients and slaves connect apart',
    ),
  (v) =>
    must(
      !v.enableDLegerCommitLog || v.dLegerPeers !== undefined,
      'dLegerPeers',
      `set with enableDLegerCommitLog=true: ${brokerOptionTable.dLegerPeers.allowed}`,
    ),
  (v) =>
    must(
      !v.enableDLegerCommitLog || v.dLegerSelfId !== undefined,
      'dLegerSelfId',
      'set with enableDLegerCommitLog=true: the id of this node in dLegerPeers',
    ),
  (v) =>
    must(
      !v.enableDLegerCommitLog || isMember(v, v.dLegerSelfId),
      'dLegerSelfId',
      `one of the ids in dLegerPeers (${ids(v)})`,
    ),
  (v) =>
    must(
      !v.enableDLegerCommitLog || preferred(v).every((id) => isMember(v, id)),
      'preferredLeaderId',
      `ids in dLegerPeers (${ids(v)})`,
    ),
  (v) =>
    must(
      v.raftPeerAddresses.every(({ id }) => isMember(v, id) && id !== v.dLegerSelfId),
      'raftPeerAddresses',
      `ids of the other members in dLegerPeers (${ids(v)})`,
    ),
  (v) =>
    must(
      v.raftElectionTimeoutMinMs >= 2 * v.raftHeartbeatMs,
      'raftElectionTimeoutMinMs',
      `at least twice raftHeartbeatMs (${v.raftHeartbeatMs})`,
    ),
  (v) =>
    must(
      v.raftElectionTimeoutMaxMs > v.raftElectionTimeoutMinMs,
      'raftElectionTimeoutMaxMs',
      `above raftElectionTimeoutMinMs (${v.raftElectionTimeoutMinMs})`,
    ),
  (v) =>
    must(
      v.raftMaxInflightBytes >= v.raftMaxAppendBytes,
      'raftMaxInflightBytes',
      `not below raftMaxAppendBytes (${v.raftMaxAppendBytes})`,
    ),
  (v) =>
    must(
      v.raftMaxUncommittedBytes >= v.raftMaxAppendBytes,
      'raftMaxUncommittedBytes',
      `not below raftMaxAppendBytes (${v.raftMaxAppendBytes})`,
    ),
  (v) => must(v.maxInFlightBytes > v.maxMessageSize, 'maxInFlightBytes', `above maxMessageSize (${v.maxMessageSize})`),
  (v) =>
    must(
      v.dLegerPeers === undefined || !v.enableDLegerCommitLog || clientPortIsFree(v),
      'listenPort',
      'another port than the one in dLegerPeers: clients and peers connect apart',
    ),
]

/** Also asked of the environment, so not of the file alone. */
function lackOfNamesrv({ role, namesrvAddr }: BrokerOptions): Problem | undefined {
  return must(role !== 'slave' || namesrvAddr.length > 0, 'namesrvAddr', 'set for a slave: there it finds its master')
}

function must(holds: boolean, key: Key, allowed: string): Problem | undefined {
  return holds ? undefined : { key, allowed }
}

const ids = (v: TableValues): string => (v.dLegerPeers ?? []).map(({ id }) => id).join(', ')
const isMember = (v: TableValues, id: string | undefined): boolean =>
  v.dLegerPeers?.some((peer) => peer.id === id) ?? false
const preferred = (v: TableValues): readonly string[] =>
  (v.preferredLeaderId ?? '').split(';').filter((id) => id !== '')
const clientPortIsFree = (v: TableValues): boolean =>
  (v.raftListen?.port ?? v.dLegerPeers?.find(({ id }) => id === v.dLegerSelfId)?.port) !== v.listenPort

/** The message of a broken rule, at the line of its key; at the file where the key is not in it. */
function locate(properties: Properties, values: TableValues, { key, allowed }: Problem): string {
  const entry = properties.entries.find((candidate) => candidate.key === key)
  if (entry !== undefined) return impossible(properties.source, entry.line, key, entry.value, allowed)
  const value = new Map(formatOptions(brokerOptionTable, values)).get(key) ?? ''
  return `${properties.source}: ${key} is ${value === '' ? 'not set' : value}, it must be ${allowed}`
}

/** What a broker does with a key of a file. */
export type KeyClass = 'honoured' | 'withoutMeaning' | 'unsupported' | 'unknown'

export interface KeyKnowledge {
  readonly class: KeyClass
  /** Why it is not honoured. */
  readonly why: string
  /** RocketMQ's default of an unsupported key, which says nothing. */
  readonly default?: string
}

const rocketmqKeys: ReadonlyMap<string, KeyKnowledge> = new Map([
  ...withoutMeaning.flatMap(([why, keys]) =>
    words(keys).map((key): [string, KeyKnowledge] => [key, { class: 'withoutMeaning', why }]),
  ),
  ...unsupported.flatMap(([why, defaults]) =>
    words(defaults).map((pair): [string, KeyKnowledge] => {
      const at = pair.indexOf('=')
      return [pair.slice(0, at), { class: 'unsupported', why, default: pair.slice(at + 1) }]
    }),
  ),
])

/** All keys of RocketMQ that are not honoured. */
export const otherKeys = (): Iterable<readonly [key: string, knowledge: KeyKnowledge]> => rocketmqKeys

export function knowledgeOf(key: string): KeyKnowledge {
  if (Object.hasOwn(brokerOptionTable, key)) return { class: 'honoured', why: '' }
  return rocketmqKeys.get(key) ?? { class: 'unknown', why: 'neither RocketMQ nor this broker has it' }
}

function warning(properties: Properties, { key, value, line }: PropertyEntry): readonly string[] {
  const { class: kind, why, default: fallback = '' } = knowledgeOf(key)
  const at = `${properties.source}:${line}: ${key}`
  if (kind === 'unknown') return [`${at} is not a key of a broker and changes nothing`]
  if (kind !== 'unsupported' || value.toLowerCase().replaceAll(' ', '') === fallback.toLowerCase()) return []
  return [`${at} is not supported and changes nothing: ${why}`]
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
