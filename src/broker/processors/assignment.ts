/** Which queues a consumer takes, decided by the broker: 400, 401, 402 (RocketMQ QueryAssignmentProcessor). */
import { isRetryTopic } from '../../message/topic-name.ts'
import {
  MessageRequestModeSerializeWrapper,
  QueryAssignmentRequestBody,
  QueryAssignmentResponseBody,
  SetMessageRequestModeRequestBody,
} from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { Clients } from '../clients/clients.ts'
import { refusal } from '../errors.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import { type RequestMode, requestModeCommands, type RequestModes } from '../tables/request-modes.ts'
import type { AssignedQueue, TopicQueues } from '../clients/topic-queues.ts'
import type { Topics } from '../tables/topics.ts'

export interface AssignmentNeeds {
  readonly topics: Topics
  readonly autoCreate: Pick<AutoCreate, 'group'>
  readonly modes: RequestModes
  readonly topicQueues: Pick<TopicQueues, 'of'>
  readonly clients: Pick<Clients, 'clientIds'>
  readonly proposals: Pick<Proposals, 'command'>
  readonly leadership: Pick<Leadership, 'readBarrier'>
}

type Strategy = (queues: readonly AssignedQueue[], clients: readonly string[], index: number) => AssignedQueue[]

/** RocketMQ AllocateMessageQueueAveragely and …ByCircle: one client's share of sorted queues. */
const strategies: Readonly<Record<string, Strategy>> = {
  AVG(queues, clients, index) {
    const spare = queues.length % clients.length
    const floor = Math.floor(queues.length / clients.length)
    const start = index < spare ? index * (floor + 1) : index * floor + spare
    return queues.slice(start, start + (index < spare ? floor + 1 : floor))
  },
  AVG_BY_CIRCLE: (queues, clients, index) => queues.filter((_queue, at) => at % clients.length === index),
}

/** Retry topics are always pulled. */
const unset: RequestMode = { mode: 'PULL', popShareQueueNum: 0 }

export function assignment(need: AssignmentNeeds): Route<unknown>[] {
  const { topics, modes, clients } = need

  return [
    route({ code: RequestCode.QUERY_ASSIGNMENT, request: EmptyHeader, handle: query }),
    route({ code: RequestCode.SET_MESSAGE_REQUEST_MODE, request: EmptyHeader, handle: set }),
    route({ code: RequestCode.GET_ALL_MESSAGE_REQUEST_MODE, request: EmptyHeader, handle: all }),
  ]

  async function query(_header: unknown, call: Call): Promise<Reply> {
    const body = QueryAssignmentRequestBody.decode(call.body)
    await need.leadership.readBarrier()
    const mode = modes.get(body.topic, body.consumerGroup) ?? unset
    const queues = await need.topicQueues.of(body.topic)
    const assigned = assignedOf(body, mode, queues)
    // Nothing said: the client keeps what it has.
    if (assigned === undefined) return { code: ResponseCode.SUCCESS, body: Buffer.from('{}') }
    const messageQueueAssignments = assigned.map((messageQueue) => ({
      messageQueue,
      mode: mode.mode,
      attachments: undefined,
    }))
    return { code: ResponseCode.SUCCESS, body: QueryAssignmentResponseBody.encode({ messageQueueAssignments }) }
  }

  function assignedOf(
    { consumerGroup, clientId, messageModel, strategyName }: QueryAssignmentRequestBody,
    { mode, popShareQueueNum }: RequestMode,
    queues: readonly AssignedQueue[],
  ): readonly AssignedQueue[] | undefined {
    if (queues.length === 0) return undefined
    if (messageModel === 'BROADCASTING') return queues
    const ids = clients.clientIds(consumerGroup)
    const strategy = strategies[strategyName ?? 'AVG']
    if (ids.length === 0 || strategy === undefined) return undefined
    const index = ids.indexOf(clientId)
    const share = (at: number): AssignedQueue[] => (at < 0 ? [] : strategy(queues, ids, at % ids.length))
    if (mode === 'PULL') return share(index)
    if (popShareQueueNum <= 0 || popShareQueueNum >= ids.length - 1) {
      // Every client takes of all queues: one pop a broker.
      const brokers = [...new Set(queues.map(({ brokerName }) => brokerName))]
      return brokers.map((brokerName) => ({ topic: queues[0]?.topic ?? '', brokerName, queueId: -1 }))
    }
    if (ids.length > queues.length) {
      const only = queues[index % queues.length]
      return index < 0 || only === undefined ? [] : [only]
    }
    const sharers = index < 0 ? [] : Array.from({ length: popShareQueueNum + 1 }, (_, at) => index + at)
    return [...new Set(sharers.flatMap(share))]
  }

  async function set(_header: unknown, call: Call): Promise<Reply> {
    const { topic, consumerGroup, mode, popShareQueueNum } = SetMessageRequestModeRequestBody.decode(call.body)
    if (isRetryTopic(topic)) throw refusal('BROKER_NO_PERMISSION', 'retry topic is not allowed to set mode')
    if (!topics.has(topic)) throw refusal('BROKER_TOPIC_NOT_EXIST', `topic[${topic}] not exist`)
    if (mode !== 'PULL' && mode !== 'POP') throw refusal('BROKER_INVALID_PARAMETER', `there is no mode ${mode}`)
    if ((await need.autoCreate.group(consumerGroup)) === undefined) {
      throw refusal('BROKER_GROUP_NOT_EXIST', 'subscription group does not exist')
    }
    await need.proposals.command(requestModeCommands.set(topic, consumerGroup, { mode, popShareQueueNum }))
    return { code: ResponseCode.SUCCESS }
  }

  function all(): Reply {
    const messageRequestModeMap = new Map<string, Map<string, SetMessageRequestModeRequestBody>>()
    for (const { topic, group, mode } of modes.all()) {
      const ofTopic = messageRequestModeMap.get(topic) ?? new Map<string, SetMessageRequestModeRequestBody>()
      messageRequestModeMap.set(topic, ofTopic.set(group, { topic, consumerGroup: group, ...mode }))
    }
    return { code: ResponseCode.SUCCESS, body: MessageRequestModeSerializeWrapper.encode({ messageRequestModeMap }) }
  }
}
