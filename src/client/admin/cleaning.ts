/** Tells leaders to clean up now (306, 316, 329; RocketMQ CleanExpiredCQ, CleanUnusedTopic, DeleteExpiredCommitLog). */
import { RequestCode } from '../../remoting/codes.ts'
import { checkOneOf } from '../core/options.ts'
import { checkWhich } from './connection.ts'
import type { AdminConnection, Which } from './connection.ts'

const codes = {
  /** Segments that have expired, whatever the hour. */
  log: RequestCode.DELETE_EXPIRED_COMMITLOG,
  /** Of queues what the log has dropped. A group here never has any left; brokers of RocketMQ may. */
  queues: RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE,
  /** Queues of topics that were deleted; the same. */
  topics: RequestCode.CLEAN_UNUSED_TOPIC,
} as const

export type Cleaned = keyof typeof codes

export const cleanable = ['log', 'queues', 'topics'] as const satisfies readonly Cleaned[]

/** Resolves with the names of the broker groups once each has done it. Errors: `CLIENT_OPTION`. */
export async function clean(at: AdminConnection, what: Cleaned, which: Which = {}): Promise<string[]> {
  checkOneOf('what', what, cleanable)
  checkWhich('clean', which)
  const brokers = await at.brokersOf(which)
  await Promise.all(brokers.map((broker) => at.leader(broker, { code: codes[what] })))
  return brokers.map(({ brokerName }) => brokerName)
}
