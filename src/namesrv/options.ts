/**
 * The properties of a name server: RocketMQ's keys (NamesrvConfig, NettyServerConfig), in its units and with its
 * defaults.
 */
import { unknownKeyFault } from '../lib/known-keys.ts'
import {
  boolean,
  formatOptions,
  integer,
  invalidOptions,
  type OptionValues,
  readOptions,
  string,
} from '../lib/options.ts'
import type { Properties, PropertyEntry } from '../lib/properties.ts'

export const namesrvOptionTable = {
  listenPort: integer({ default: 9876, max: 65_535, doc: 'Where brokers and clients connect; 0: any free port.' }),
  bindAddress: string({ default: '0.0.0.0', doc: 'The address to listen on.' }),
  kvConfigPath: string({
    default: '',
    defaultDoc: '`namesrv/kvConfig.json` in the home directory',
    doc: 'The file of the KV configuration (codes 100 to 102, 219).',
  }),
  configStorePath: string({
    default: '',
    defaultDoc: 'the file given with -c, else `namesrv/namesrv.properties` in the home directory',
    doc: 'The file that a changed configuration (code 318) is written to.',
  }),
  orderMessageEnable: boolean({
    default: false,
    doc: 'Whether routes carry the order configuration of their topic (KV namespace ORDER_TOPIC_CONFIG).',
  }),
  returnOrderTopicConfigToBroker: boolean({
    default: true,
    doc: 'Whether a broker that registers is told the order configurations of all topics.',
  }),
  scanNotActiveBrokerInterval: integer({
    default: 5000,
    min: 10,
    max: 3_600_000,
    doc: 'How often, in milliseconds, brokers are looked for that are silent for too long.',
  }),
  enableAllTopicList: boolean({ default: true, doc: 'Whether code 206 is answered.' }),
  enableTopicList: boolean({ default: true, doc: 'Whether codes 224 and 311 to 313 are answered.' }),
  needWaitForService: boolean({
    default: false,
    doc: 'Whether routes are refused after a start until waitSecondsForService are over.',
  }),
  waitSecondsForService: integer({ default: 45, max: 86_400, doc: 'See needWaitForService.' }),
  deleteTopicWithBrokerRegistration: boolean({
    default: false,
    doc: 'Whether a registration deletes the topics of that broker which it does not name. Not with brokers that register one topic at a time.',
  }),
  supportActingMaster: boolean({
    default: false,
    doc: 'Whether a group without a leader shows its lowest follower as one, to read from (brokers with enableActingMaster).',
  }),
  configBlackList: string({
    default: 'configBlackList;configStorePath;kvConfigPath',
    doc: 'Keys that code 318 must not change, with ";" between them.',
  }),
  serverChannelMaxIdleTimeSeconds: integer({
    default: 120,
    min: 1,
    max: 86_400,
    doc: 'A connection without traffic for so long is closed.',
  }),
} as const

export type NamesrvOptions = OptionValues<typeof namesrvOptionTable>
export type NamesrvKey = keyof NamesrvOptions

/** Keys of RocketMQ that change nothing that anybody could see here. */
export const namesrvWithoutMeaning: readonly (readonly [why: string, keys: string])[] = [
  [
    'one event loop serves all requests: there are no thread pools and no queues before them',
    `
      clientRequestThreadPoolNums defaultThreadPoolNums clientRequestThreadPoolQueueCapacity
      defaultThreadPoolQueueCapacity unRegisterBrokerQueueCapacity serverWorkerThreads serverCallbackExecutorThreads
      serverSelectorThreads serverNettyWorkerGroupEnable clientWorkerThreads clientCallbackExecutorThreads
      clientOnewaySemaphoreValue clientAsyncSemaphoreValue serverOnewaySemaphoreValue serverAsyncSemaphoreValue
      useEpollNativeSelector disableCallbackExecutor disableNettyWorkerGroup
    `,
  ],
  [
    'buffers are the runtime’s and are bounded by limits of their own',
    `
      serverSocketSndBufSize serverSocketRcvBufSize clientSocketSndBufSize clientSocketRcvBufSize
      writeBufferHighWaterMark writeBufferLowWaterMark serverSocketBacklog serverPooledByteBufAllocatorEnable
      clientPooledByteBufAllocatorEnable
    `,
  ],
  [
    'a name server here calls nobody',
    `
      connectTimeoutMillis channelNotActiveInterval clientChannelMaxIdleTimeSeconds clientCloseSocketIfTimeout
      isScanAvailableNameSrv enableReconnectForGoAway maxReconnectIntervalTimeSeconds enableTransparentRetry
    `,
  ],
  ['there is no installation folder', 'rocketmqHome productEnvName'],
  ['a stop is always graceful and short', 'enableShutdownGracefully shutdownWaitTimeSeconds'],
]

/** Keys that would change what a name server does, and do not: `key=the value that says nothing`. */
export const namesrvUnsupported: readonly (readonly [why: string, defaults: string])[] = [
  ['groups elect by Raft: no controller', 'enableControllerInNamesrv=false'],
  ['brokers are not told which of them has the lowest id', 'notifyMinBrokerIdChanged=false'],
  ['no product environment to fall back to', 'clusterTest=false'],
  ['no TLS yet, and no SOCKS proxy', 'useTLS=false socksProxyConfig={}'],
]

export type NamesrvKeyClass = 'honoured' | 'withoutMeaning' | 'unsupported' | 'unknown'

export interface NamesrvKeyKnowledge {
  readonly class: NamesrvKeyClass
  /** Why it is not honoured. */
  readonly why: string
  /** RocketMQ's default of an unsupported key, which says nothing. */
  readonly default?: string
}

const otherKeys = knowledgeOfOtherKeys()

/** All keys of RocketMQ that are not honoured. */
export const otherNamesrvKeys = (): Iterable<readonly [key: string, knowledge: NamesrvKeyKnowledge]> => otherKeys

export function knowledgeOfNamesrvKey(key: string): NamesrvKeyKnowledge {
  if (Object.hasOwn(namesrvOptionTable, key)) return { class: 'honoured', why: '' }
  return otherKeys.get(key) ?? { class: 'unknown', why: 'neither RocketMQ nor this name server has it' }
}

export interface NamesrvConfiguration {
  readonly options: NamesrvOptions
  /** One line for every key that changes nothing though it should. */
  readonly warnings: readonly string[]
}

/** What a name server needs to know of the machine to fill in defaults. */
export interface NamesrvMachine {
  readonly homeFolder: string
  /** The configuration file given, if any. */
  readonly configFile?: string | undefined
}

/** The effective options. @throws `OPTIONS_INVALID`, one line for every value that is impossible. */
export function readNamesrvOptions(properties: Properties, machine: NamesrvMachine): NamesrvConfiguration {
  const read = readOptions(namesrvOptionTable, properties)
  const folder = `${machine.homeFolder}/namesrv`
  const options = {
    ...read,
    kvConfigPath: read.kvConfigPath === '' ? `${folder}/kvConfig.json` : read.kvConfigPath,
    // RocketMQ NamesrvStartup: the file given is where changes go, whatever stands in it.
    configStorePath:
      machine.configFile ?? (read.configStorePath === '' ? `${folder}/namesrv.properties` : read.configStorePath),
  }
  return { options, warnings: properties.entries.flatMap((entry) => warning(properties.source, entry)) }
}

/** Every honoured option with its effective value, in the order of the table. */
export function formatNamesrvOptions(options: NamesrvOptions): readonly (readonly [key: string, value: string])[] {
  return formatOptions(namesrvOptionTable, options)
}

/**
 * `options` with `changes` over them. @throws `OPTIONS_INVALID` for impossible values and for keys that are none.
 */
export function changeNamesrvOptions(options: NamesrvOptions, changes: Properties): NamesrvOptions {
  const unknown = changes.entries.filter(({ key }) => !Object.hasOwn(namesrvOptionTable, key))
  if (unknown.length > 0) {
    throw invalidOptions(unknown.map(({ key }) => whyNot(key)))
  }
  const before = formatOptions(namesrvOptionTable, options).map(([key, value]) => ({ key, value, line: 0 }))
  return readOptions(namesrvOptionTable, { source: changes.source, entries: [...before, ...changes.entries] })
}

function whyNot(key: string): string {
  const { class: kind, why } = knowledgeOfNamesrvKey(key)
  if (kind !== 'unknown') return `${key} changes nothing here: ${why}`
  return unknownKeyFault(key, 'a name server', new Set(Object.keys(namesrvOptionTable)))
}

function warning(source: string, { key, value, line }: PropertyEntry): readonly string[] {
  const { class: kind, why, default: fallback = '' } = knowledgeOfNamesrvKey(key)
  const at = `${source}:${line}: ${key}`
  if (kind === 'unknown') return [`${at} is not a key of a name server and changes nothing`]
  if (kind !== 'unsupported' || value.toLowerCase().replaceAll(' ', '') === fallback.toLowerCase()) return []
  return [`${at} is not supported and changes nothing: ${why}`]
}

function knowledgeOfOtherKeys(): ReadonlyMap<string, NamesrvKeyKnowledge> {
  const knowledge = new Map<string, NamesrvKeyKnowledge>()
  for (const [why, keys] of namesrvWithoutMeaning) {
    for (const key of words(keys)) knowledge.set(key, { class: 'withoutMeaning', why })
  }
  for (const [why, defaults] of namesrvUnsupported) {
    for (const pair of words(defaults)) {
      const at = pair.indexOf('=')
      knowledge.set(pair.slice(0, at), { class: 'unsupported', why, default: pair.slice(at + 1) })
    }
  }
  return knowledge
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
