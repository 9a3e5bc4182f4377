/** The options of producers. */
import { knownKeys } from '../../lib/known-keys.ts'
import { isCompressionSupported } from '../../message/compression.ts'
import type { CompressionType } from '../../message/compression.ts'
import { clientErrors } from '../core/errors.ts'
import { checkGroupName } from '../core/names.ts'
import { checkKeys, checkRanges, clientKeys, given, resolveClientOptions } from '../core/options.ts'
import type { ClientOptions, ResolvedClientOptions } from '../core/options.ts'

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
  /** Whether sends are told to RocketMQ's message trace, the topic RMQ_SYS_TRACE_TOPIC. Default false. */
  readonly trace?: boolean
}

export interface BatchOptions {
  /** Default 256. */
  readonly maxMessages?: number
  /** Default 128 KiB. */
  readonly maxBytes?: number
  /** How long a message waits for company. Default 0: until the end of this turn of the event loop. */
  readonly lingerMs?: number
}

/** A part of the table of every producer. */
export const producerKeys = {
  ...clientKeys,
  group: true,
  sendTimeoutMs: true,
  attemptTimeoutMs: true,
  retries: true,
  retryUndecided: true,
  compressOverBytes: true,
  compression: true,
  compressionLevel: true,
  maxBodyBytes: true,
  maxInFlight: true,
  maxInFlightBytes: true,
  autoCreateTopic: true,
  autoCreateQueues: true,
  batch: true,
  trace: true,
} as const satisfies Record<keyof ProducerOptions, true>

const keys = knownKeys<ProducerOptions>(producerKeys)
const batchKeys = knownKeys<BatchOptions>({ maxMessages: true, maxBytes: true, lingerMs: true })

export type ResolvedProducerOptions = ResolvedClientOptions &
  Required<Omit<ProducerOptions, keyof ClientOptions | 'batch'>> & {
    readonly batch: Required<BatchOptions> | undefined
  }

const defaultCompression: CompressionType = 'zlib'

const producerDefaults = {
  group: 'DEFAULT_PRODUCER',
  sendTimeoutMs: 10_000,
  attemptTimeoutMs: 3_000,
  retries: 2,
  retryUndecided: true,
  compressOverBytes: 4_096,
  compression: defaultCompression,
  compressionLevel: 5,
  maxBodyBytes: 4 * 1024 * 1024,
  maxInFlight: 100_000,
  maxInFlightBytes: 256 * 1024 * 1024,
  autoCreateTopic: true,
  autoCreateQueues: 4,
  trace: false,
} as const

const batchDefaults = { maxMessages: 256, maxBytes: 128 * 1024, lingerMs: 0 } as const

/** Errors: `CLIENT_OPTION`. */
export function resolveProducerOptions(options: ProducerOptions): ResolvedProducerOptions {
  checkKeys(options, 'a producer', keys)
  const { batch, ...rest } = options
  if (batch !== undefined && batch !== false) checkKeys(batch, 'batch', batchKeys)
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
