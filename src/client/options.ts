/** Every option of the client: meaning, default, limits. One table checks them all. */
import { systemClock } from '../lib/clock.ts'
import type { Clock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { Log } from '../lib/log.ts'
import { systemRandom } from '../lib/prng.ts'
import { nodeSockets } from '../remoting/sockets.ts'
import type { Sockets } from '../remoting/sockets.ts'
import type { Random } from '../lib/prng.ts'
import { isCompressionSupported } from '../message/compression.ts'
import type { CompressionType } from '../message/compression.ts'
import { groupFault } from '../message/topic-name.ts'
import { allocateQueuesBy } from './allocate-queues.ts'
import type { AllocateStrategy } from './allocate-queues.ts'
import { clientErrors } from './errors.ts'
import { machineIdentity } from './identity.ts'
import type { Identity } from './identity.ts'

export interface ClientOptions {
  /** Name servers: `'a:9876;b:9876'`, or a list. */
  readonly namesrv: string | readonly string[]
  /** Added to the client id, for people who look at connections. */
  readonly instanceName?: string
  /** Longest wait for a connection. Default 3,000. */
  readonly connectTimeoutMs?: number
  /** Longest wait for the answer to one request other than send and pull. Default 3,000. */
  readonly requestTimeoutMs?: number
  /** How often brokers are told that this client lives. Default 30,000; a broker forgets a client after 120,000. */
  readonly heartbeatIntervalMs?: number
  /** How often routes are asked for without a reason. Default 30,000. */
  readonly routeRefreshMs?: number
  /** Topics one client may use. Default 4,096. */
  readonly maxTopics?: number
  readonly log?: Log
  readonly clock?: Clock
  readonly random?: Random
  /** Connections of a network that is not the machine's, for tests and simulations. */
  readonly sockets?: Sockets
  /** Address and process that ids are made of, likewise. */
  readonly identity?: Identity
}

export interface ProducerOptions extends ClientOptions {
  /** Producer group. Default `DEFAULT_PRODUCER`. */
  readonly group?: string
  /** Time one send may take, retries and waiting for a new leader included. Default 10,000. */
  readonly sendTimeoutMs?: number
  /** Time one attempt may take before it counts as undecided. Default 3,000. */
  readonly attemptTimeoutMs?: number
  /** Attempts after the first one that failed at a broker. Waiting for a leader does not count. Default 2. */
  readonly retries?: number
  /**
   * Whether a message whose answer was lost is sent again. Default true, as in RocketMQ: nothing is lost, and the message
   * may be stored twice. False: such a send ends with `CLIENT_UNDECIDED`.
   */
  readonly retryUndecided?: boolean
  /** Bodies over this size are compressed. Default 4,096; `Infinity`: never. */
  readonly compressOverBytes?: number
  /** Default `zlib`, which every consumer understands. */
  readonly compression?: CompressionType
  /** 0–9, default 5. */
  readonly compressionLevel?: number
  /** Largest body, before compression. Default 4 MiB, which is the broker's own limit. */
  readonly maxBodyBytes?: number
  /** Sends that may be in flight; one more is refused with `CLIENT_OVERLOADED`. Default 100,000. */
  readonly maxInFlight?: number
  /** Bytes of bodies that may be in flight, likewise. Default 256 MiB. */
  readonly maxInFlightBytes?: number
  /** Whether sending to a topic that does not exist creates it, if the broker allows. Default true. */
  readonly autoCreateTopic?: boolean
  /** Queues of a topic made so. Default 4. */
  readonly autoCreateQueues?: number
  /**
   * What is sent to one destination in one turn of the event loop leaves as one batch request, which costs far less; a
   * message that is alone leaves by itself, and none waits for others. Messages with a delay, compressed ones, those of
   * retry topics, and those with properties that ask the broker for more than storing leave by themselves. The messages
   * of a batch go to one queue; whether they were stored is known of all or of none. False: every message is a request.
   */
  readonly batch?: BatchOptions | false
}

export interface BatchOptions {
  /** Default 256. */
  readonly maxMessages?: number
  /** Default 128 KiB. */
  readonly maxBytes?: number
  /** How long a message waits for company. Default 0: until the end of this turn of the event loop. */
  readonly lingerMs?: number
}

export type ConsumeFrom = 'first' | 'last' | Date

export interface PushConsumerOptions extends ClientOptions {
  /** Consumer group. Its members share the queues (cluster) or each read everything (broadcast). */
  readonly group: string
  /** Default `cluster`. */
  readonly model?: 'cluster' | 'broadcast'
  /** Where a group begins that has no offsets yet. Default `last`, as in RocketMQ. */
  readonly from?: ConsumeFrom
  /** How queues are shared out; equal in all members. Default `averagely`. */
  readonly allocate?: AllocateStrategy
  /** Handlers that run at the same time. Default 20. */
  readonly concurrency?: number
  /**
   * True (default): one queue's messages are handled one after the other, in order; a message that fails is sent back and
   * comes again later, out of order. False: all handlers may work on the same queue.
   */
  readonly ordered?: boolean
  /** Most messages of one pull. Default 256; brokers send fewer as their own limits say. */
  readonly pullBatch?: number
  /** Pulling of a queue pauses at this many messages not yet settled. Default 2,048. */
  readonly maxMessagesPerQueue?: number
  /** Pulling of a queue pauses at this many bytes not yet settled. Default 64 MiB. */
  readonly maxBytesPerQueue?: number
  /** Times a failing message is redelivered before it goes to the dead-letter topic. Default 16. */
  readonly maxReconsumeTimes?: number
  /** A handler that takes longer loses its message: it is sent back, and the handler's signal fires. Default 900,000. */
  readonly handlerTimeoutMs?: number
  /** How often offsets are committed. Default 5,000. */
  readonly commitIntervalMs?: number
  /** How often queues are shared out anew without a reason. Default 20,000. */
  readonly rebalanceIntervalMs?: number
  /** How long a broker may hold a pull that finds nothing. Default 15,000. */
  readonly suspendTimeoutMs?: number
  /** Longest wait for handlers at `close()`. Default 10,000. */
  readonly closeTimeoutMs?: number
  /** Broadcast only: the file of this consumer's offsets. Default `.raftmq/<group>.offsets.json` in the working directory. */
  readonly offsetFile?: string
  /** Whether bodies are checked against their checksums. Default true. */
  readonly checkCrc?: boolean
}

type Resolved<Options, Optional extends keyof Options = never> = Required<Omit<Options, Optional>> &
  Pick<Options, Optional>

export type ResolvedClientOptions = Resolved<Omit<ClientOptions, 'namesrv'>, 'instanceName'> & {
  readonly namesrv: readonly string[]
}
export type ResolvedProducerOptions = ResolvedClientOptions &
  Required<Omit<ProducerOptions, keyof ClientOptions | 'batch'>> & {
    readonly batch: Required<BatchOptions> | undefined
  }
export type ResolvedConsumerOptions = ResolvedClientOptions & Required<Omit<PushConsumerOptions, keyof ClientOptions>>

const clientDefaults = {
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 3_000,
  heartbeatIntervalMs: 30_000,
  routeRefreshMs: 30_000,
  maxTopics: 4_096,
} as const

const producerDefaults = {
  group: 'DEFAULT_PRODUCER',
  sendTimeoutMs: 10_000,
  attemptTimeoutMs: 3_000,
  retries: 2,
  retryUndecided: true,
  compressOverBytes: 4_096,
  compression: 'zlib' as CompressionType,
  compressionLevel: 5,
  maxBodyBytes: 4 * 1024 * 1024,
  maxInFlight: 100_000,
  maxInFlightBytes: 256 * 1024 * 1024,
  autoCreateTopic: true,
  autoCreateQueues: 4,
} as const

const batchDefaults = { maxMessages: 256, maxBytes: 128 * 1024, lingerMs: 0 } as const

const consumerDefaults = {
  model: 'cluster',
  from: 'last',
  allocate: 'averagely',
  concurrency: 20,
  ordered: true,
  pullBatch: 256,
  maxMessagesPerQueue: 2_048,
  maxBytesPerQueue: 64 * 1024 * 1024,
  maxReconsumeTimes: 16,
  handlerTimeoutMs: 900_000,
  commitIntervalMs: 5_000,
  rebalanceIntervalMs: 20_000,
  suspendTimeoutMs: 15_000,
  closeTimeoutMs: 10_000,
  checkCrc: true,
} as const

/** Lowest and highest value of every number; `real` may be infinite or fractional. */
const ranges: Readonly<Record<string, { readonly low: number; readonly high: number; readonly real?: boolean }>> = {
  connectTimeoutMs: { low: 1, high: 600_000 },
  requestTimeoutMs: { low: 1, high: 600_000 },
  heartbeatIntervalMs: { low: 10, high: 100_000 },
  routeRefreshMs: { low: 10, high: 3_600_000 },
  maxTopics: { low: 1, high: 1_000_000 },
  sendTimeoutMs: { low: 1, high: 3_600_000 },
  attemptTimeoutMs: { low: 1, high: 600_000 },
  retries: { low: 0, high: 1_000 },
  compressOverBytes: { low: 0, high: Number.POSITIVE_INFINITY, real: true },
  compressionLevel: { low: 0, high: 9 },
  maxBodyBytes: { low: 1, high: 16 * 1024 * 1024 },
  maxInFlight: { low: 1, high: 10_000_000 },
  maxInFlightBytes: { low: 1, high: 2 ** 40 },
  autoCreateQueues: { low: 1, high: 1_024 },
  maxMessages: { low: 1, high: 4_096 },
  maxBytes: { low: 1, high: 4 * 1024 * 1024 },
  lingerMs: { low: 0, high: 60_000 },
  concurrency: { low: 1, high: 100_000 },
  pullBatch: { low: 1, high: 1_024 },
  maxMessagesPerQueue: { low: 1, high: 1_000_000 },
  maxBytesPerQueue: { low: 1, high: 2 ** 40 },
  maxReconsumeTimes: { low: 0, high: 1_000_000 },
  handlerTimeoutMs: { low: 1, high: 86_400_000 },
  commitIntervalMs: { low: 1, high: 3_600_000 },
  rebalanceIntervalMs: { low: 10, high: 3_600_000 },
  suspendTimeoutMs: { low: 1, high: 300_000 },
  closeTimeoutMs: { low: 0, high: 3_600_000 },
  popBatch: { low: 1, high: 32 },
  invisibleMs: { low: 1_000, high: 86_400_000 },
  pollMs: { low: 0, high: 60_000 },
}

/** Errors of all three: `CLIENT_OPTION`. */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const { namesrv, instanceName, ...rest } = options
  const {
    log = silentLog,
    clock = systemClock,
    random = systemRandom,
    sockets = nodeSockets,
    identity = machineIdentity(),
  } = rest
  const world = { log, clock, random, sockets, identity }
  const resolved = { ...clientDefaults, ...given(rest), ...world, namesrv: namesrvAddresses(namesrv) }
  checkRanges(resolved)
  return instanceName === undefined ? resolved : { ...resolved, instanceName }
}

export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  const { batch, ...rest } = options
  const resolved = {
    ...producerDefaults,
    ...given(rest),
    ...resolveClientOptions(options),
    batch: batch === false ? undefined : { ...batchDefaults, ...given(batch ?? {}) },
  }
  checkRanges(resolved)
  if (resolved.batch !== undefined) checkRanges(resolved.batch)
  checkGroupName(resolved.group)
  if (!isCompressionSupported(resolved.compression)) {
    throw clientErrors.create('CLIENT_OPTION', `compression: this Node version has no ${resolved.compression}`)
  }
  return resolved
}

export function resolveConsumerOptions(options: PushConsumerOptions): ResolvedConsumerOptions {
  checkGroupName(options.group)
  const resolved = {
    ...consumerDefaults,
    offsetFile: `.raftmq/${options.group.replaceAll(/[^\w-]/g, '_')}.offsets.json`,
    ...given(options),
    ...resolveClientOptions(options),
  }
  checkRanges(resolved)
  allocateQueuesBy(resolved.allocate)
  checkOneOf('model', resolved.model, ['cluster', 'broadcast'])
  if (resolved.from instanceof Date) {
    if (Number.isNaN(resolved.from.getTime())) throw clientErrors.create('CLIENT_OPTION', 'from: the date is no date')
  } else {
    checkOneOf('from', resolved.from, ['first', 'last'])
  }
  return resolved
}

/** The addresses of `'a:9876;b:9876'`. */
export function namesrvAddresses(namesrv: string | readonly string[]): readonly string[] {
  const parts = typeof namesrv === 'string' ? namesrv.split(';') : namesrv
  const addresses = parts.map((part) => part.trim()).filter((part) => part !== '')
  if (addresses.length === 0) throw clientErrors.create('CLIENT_OPTION', 'namesrv: no address given')
  for (const address of addresses) {
    const port = Number(/^(?:\[[^\]]+\]|[^:\s]+):(\d{1,5})$/.exec(address)?.[1])
    if (!(port >= 1 && port <= 65_535)) {
      throw clientErrors.create('CLIENT_OPTION', `namesrv: ${JSON.stringify(address)} is not host:port`)
    }
  }
  return [...new Set(addresses)]
}

export function checkGroupName(group: string): void {
  const fault = groupFault(group)
  if (fault !== undefined) throw clientErrors.create('CLIENT_OPTION', fault)
}

export function checkRanges(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined
    if (range === undefined) continue
    const isFit =
      typeof value === 'number' &&
      value >= range.low &&
      value <= range.high &&
      (range.real === true || Number.isInteger(value))
    if (isFit) continue
    const kind = range.real === true ? 'a number' : 'an integer'
    throw clientErrors.create('CLIENT_OPTION', `${name}: ${String(value)} is not ${kind} in ${range.low}–${range.high}`)
  }
}

export function checkOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw clientErrors.create('CLIENT_OPTION', `${name}: ${value} is not one of ${allowed.join(', ')}`)
  }
}

/** `options` without those that are `undefined`: an option given as undefined means its default. */
export function given<Options extends object>(options: Options): Defined<Options> {
  const rows = Object.entries(options).filter(([, value]) => value !== undefined)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the filter above is what the type says
  return Object.fromEntries(rows) as Defined<Options>
}

type Defined<Options> = { [Name in keyof Options]: Exclude<Options[Name], undefined> }
