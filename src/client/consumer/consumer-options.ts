/** The options of push consumers. */
import { knownKeys } from '../../lib/known-keys.ts'
import { checkKeys, checkRanges, given } from '../core/options.ts'
import type { ClientOptions } from '../core/options.ts'
import { groupKeys, resolveGroupOptions } from './group-options.ts'
import type { GroupOptions, ResolvedGroupOptions } from './group-options.ts'

export interface PushConsumerOptions extends GroupOptions {
  /** Handlers that run at the same time. Default 20. */
  readonly concurrency?: number
  /**
   * False (default): all handlers may work on the same queue, and a message that fails comes again later. True: a queue's
   * messages are handled strictly one after the other, by one member of the group at a time, which holds the queue's lock
   * at the broker; one that fails is handled again after `retryPauseMs`, and nothing of its queue before. Equal in all
   * members.
   */
  readonly ordered?: boolean
  /** In order: the queue's pause after a failure, 10 to 30,000. Default 1,000. */
  readonly retryPauseMs?: number
  /**
   * Times a failing message is delivered again before it goes to the dead-letter topic. Default 16; in order 2,147,483,647,
   * as in RocketMQ: nothing is passed over.
   */
  readonly maxReconsumeTimes?: number
  /**
   * A handler that takes longer loses its message: it is sent back, and the handler's signal fires. In order only the
   * signal fires. Default 900,000.
   */
  readonly handlerTimeoutMs?: number
  /** Longest wait for handlers at `close()`. Default 10,000. */
  readonly closeTimeoutMs?: number
}

const keys = knownKeys<PushConsumerOptions>({
  ...groupKeys,
  concurrency: true,
  ordered: true,
  retryPauseMs: true,
  maxReconsumeTimes: true,
  handlerTimeoutMs: true,
  closeTimeoutMs: true,
})

export type ResolvedConsumerOptions = ResolvedGroupOptions &
  Required<Omit<PushConsumerOptions, keyof GroupOptions | keyof ClientOptions>>

const MAX_INT32 = 2_147_483_647

const consumerDefaults = {
  concurrency: 20,
  ordered: false,
  retryPauseMs: 1_000,
  handlerTimeoutMs: 900_000,
  closeTimeoutMs: 10_000,
} as const

/** Errors: `CLIENT_OPTION`. */
export function resolveConsumerOptions(options: PushConsumerOptions): ResolvedConsumerOptions {
  checkKeys(options, 'a push consumer', keys)
  const resolved = {
    ...consumerDefaults,
    maxReconsumeTimes: options.ordered === true ? MAX_INT32 : 16,
    ...given(options),
    ...resolveGroupOptions(options),
    autoCommit: true,
  }
  checkRanges(resolved)
  return resolved
}
