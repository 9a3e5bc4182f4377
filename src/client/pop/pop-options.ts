/** The options of POP consumers; a part of `options.ts`. */
import { knownKeys } from '../../lib/known-keys.ts'
import { checkGroupName } from '../core/names.ts'
import { checkKeys, checkOneOf, checkRanges, clientKeys, given, resolveClientOptions } from '../core/options.ts'
import type { ClientOptions, ResolvedClientOptions } from '../core/options.ts'

export interface PopConsumerOptions extends ClientOptions {
  /** Consumer group. Its members share the messages. */
  readonly group: string
  /** Where a group begins that has no offsets yet. Default `last`. */
  readonly from?: 'first' | 'last'
  /** Handlers that run at the same time, and messages held at once. Default 20. */
  readonly concurrency?: number
  /** Most messages of one pop. Default 16. */
  readonly popBatch?: number
  /** A message that is not acknowledged within this time comes again. Default 60,000. */
  readonly invisibleMs?: number
  /** How long a broker may hold a pop that finds nothing. Default 15,000. */
  readonly pollMs?: number
  /** True: a queue gives nothing more until what it gave is acknowledged. Default false. */
  readonly ordered?: boolean
  /** Longest wait for handlers at `close()`. Default 10,000. */
  readonly closeTimeoutMs?: number
  /** Whether handlers are told to RocketMQ's message trace, the topic RMQ_SYS_TRACE_TOPIC. Default false. */
  readonly trace?: boolean
}

const keys = knownKeys<PopConsumerOptions>({
  ...clientKeys,
  group: true,
  from: true,
  concurrency: true,
  popBatch: true,
  invisibleMs: true,
  pollMs: true,
  ordered: true,
  closeTimeoutMs: true,
  trace: true,
})

export type ResolvedPopOptions = ResolvedClientOptions & Required<Omit<PopConsumerOptions, keyof ClientOptions>>

const popDefaults = {
  from: 'last',
  concurrency: 20,
  popBatch: 16,
  invisibleMs: 60_000,
  pollMs: 15_000,
  ordered: false,
  closeTimeoutMs: 10_000,
  trace: false,
} as const

/** Errors: `CLIENT_OPTION`. */
export function resolvePopOptions(options: PopConsumerOptions): ResolvedPopOptions {
  checkKeys(options, 'a POP consumer', keys)
  checkGroupName(options.group)
  const resolved = { ...popDefaults, ...given(options), ...resolveClientOptions(options) }
  checkRanges(resolved)
  checkOneOf('from', resolved.from, ['first', 'last'])
  return resolved
}
