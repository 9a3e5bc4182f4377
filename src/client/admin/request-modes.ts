/** Whether brokers let a group pop a topic or pull it (401; RocketMQ SetConsumeModeSubCommand). */
import { knownKeys } from '../../lib/known-keys.ts'
import { SetMessageRequestModeRequestBody } from '../../remoting/bodies/queue.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { checkWithin } from '../core/call-options.ts'
import { checkGroupName, checkTopicName } from '../core/names.ts'
import { checkKeys, checkOneOf } from '../core/options.ts'
import { whichKeys } from './connection.ts'
import type { AdminConnection, Which } from './connection.ts'

export interface RequestModeChange extends Which {
  readonly group: string
  readonly topic: string
  readonly mode: 'POP' | 'PULL'
  /** Of POP: how many other clients share the queues of one; 0: all take of all queues. Default 0. */
  readonly sharers?: number
}

const keys = knownKeys<RequestModeChange>({ ...whichKeys, group: true, topic: true, mode: true, sharers: true })

/** Clients learn it with their next assignment. Resolves with the names of the broker groups. Errors: `CLIENT_REFUSED`. */
export async function setRequestMode(at: AdminConnection, change: RequestModeChange): Promise<string[]> {
  checkKeys(change, 'setRequestMode', keys)
  const { group, topic, mode, sharers = 0 } = change
  checkGroupName(group)
  checkTopicName(topic)
  checkOneOf('mode', mode, ['POP', 'PULL'])
  checkWithin('sharers', sharers, { low: 0, high: 2_147_483_647 })
  const body = SetMessageRequestModeRequestBody.encode({
    consumerGroup: group,
    topic,
    mode,
    popShareQueueNum: sharers,
  })
  const brokers = await at.brokersOf(change)
  await Promise.all(brokers.map((broker) => at.leader(broker, { code: RequestCode.SET_MESSAGE_REQUEST_MODE, body })))
  return brokers.map(({ brokerName }) => brokerName)
}
