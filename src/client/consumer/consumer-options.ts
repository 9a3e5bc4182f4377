/** The options of push consumers. */
import { clientErrors } from '../core/errors.ts'
import { checkGroupName } from '../core/names.ts'
import { checkOneOf, checkRanges, given, resolveClientOptions } from '../core/options.ts'
import type { ClientOptions, ResolvedClientOptions } from '../core/options.ts'
import { allocateQueuesBy } from './allocate-queues.ts'
import type { AllocateStrategy } from './allocate-queues.ts'

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

export type ResolvedConsumerOptions = ResolvedClientOptions & Required<Omit<PushConsumerOptions, keyof ClientOptions>>

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

/** Errors: `CLIENT_OPTION`. */
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
