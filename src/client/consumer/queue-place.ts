/** Places of a queue that a program may seek: a queueOffset, a time, the beginning, the end. */
import { isDate } from 'node:util/types'
import { maxOffset, minOffset, searchOffset } from '../core/broker-api.ts'
import { checkQueue, checkWithin } from '../core/call-options.ts'
import type { ClientCore } from '../core/client-core.ts'
import { clientErrors } from '../core/errors.ts'
import { queueKey } from '../core/message-queue.ts'
import type { MessageQueue } from '../core/message-queue.ts'

export type Place = 'begin' | 'end' | { readonly queueOffset: number } | { readonly time: Date }

/**
 * The place as a queueOffset. Errors: `CLIENT_OPTION` for one outside the queue (RocketMQ DefaultLitePullConsumerImpl.seek)
 * and for a date that is none; those of `ClientCore.callLeader`.
 */
export async function queuePlace(
  core: Pick<ClientCore, 'callLeader' | 'invoke' | 'closing'>,
  queue: MessageQueue,
  place: Place,
  timeoutMs: number,
): Promise<number> {
  checkQueue(queue)
  const limits = { timeoutMs, signal: core.closing }
  const begin = (): Promise<number> =>
    core.callLeader(queue, (address, options) => minOffset(core.invoke, address, queue, options), limits)
  const end = (): Promise<number> =>
    core.callLeader(queue, (address, options) => maxOffset(core.invoke, address, queue, options), limits)
  if (place === 'begin') return begin()
  if (place === 'end') return end()
  if ('time' in place) {
    if (!isDate(place.time)) throw clientErrors.create('CLIENT_OPTION', `time: ${String(place.time)} is no Date`)
    const timestampMs = place.time.getTime()
    if (Number.isNaN(timestampMs)) throw clientErrors.create('CLIENT_OPTION', 'time: the date is no date')
    const at = { queue, timestampMs }
    return core.callLeader(queue, (address, options) => searchOffset(core.invoke, address, at, options), limits)
  }
  const [low, high] = await Promise.all([begin(), end()])
  checkWithin(`queueOffset in ${queueKey(queue)}`, place.queueOffset, { low, high })
  return place.queueOffset
}
