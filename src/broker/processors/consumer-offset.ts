/** How far a group has consumed, and who is in it: 14, 15, 38, 43 (RocketMQ ConsumerManageProcessor). */
import { GetConsumerListByGroupResponseBody } from '../../remoting/bodies/client.ts'
import { noDataVersion } from '../../remoting/bodies/data-version.ts'
import { ConsumerOffsetSerializeWrapper } from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { GetConsumerListByGroupRequestHeader } from '../../remoting/headers/client.ts'
import { QueryConsumerOffsetRequestHeader, UpdateConsumerOffsetRequestHeader } from '../../remoting/headers/offset.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { Clients } from '../clients/clients.ts'
import type { ConsumerOffsets } from '../tables/consumer-offsets.ts'
import { refusal } from '../errors.ts'
import type { Leadership } from '../needs.ts'
import type { OffsetCommits } from '../clients/offset-commits.ts'
import type { SubscriptionGroups } from '../tables/subscription-groups.ts'
import type { Topics } from '../tables/topics.ts'
import { fail, type Recover } from './failure.ts'

export interface ConsumerOffsetNeeds {
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly offsets: ConsumerOffsets
  readonly commits: OffsetCommits
  readonly clients: Pick<Clients, 'clientIds'>
  readonly leadership: Pick<Leadership, 'readBarrier'>
  readonly recover: Recover
  readonly store: { isYoung(topic: string, queueId: number): boolean }
}

export function consumerOffset(need: ConsumerOffsetNeeds): Route<unknown>[] {
  const { topics, groups, offsets, commits, clients, leadership, store } = need
  /** By the list itself, which is another one once a client came or went: all members of a group ask for the same. */
  const listBodies = new WeakMap<readonly string[], Buffer>()
  return [
    route({ code: RequestCode.QUERY_CONSUMER_OFFSET, request: QueryConsumerOffsetRequestHeader, handle: query }),
    route({
      code: RequestCode.UPDATE_CONSUMER_OFFSET,
      request: UpdateConsumerOffsetRequestHeader,
      illegal: ResponseCode.INVALID_PARAMETER,
      handle: update,
    }),
    route({ code: RequestCode.GET_CONSUMER_LIST_BY_GROUP, request: GetConsumerListByGroupRequestHeader, handle: list }),
    route({ code: RequestCode.GET_ALL_CONSUMER_OFFSET, request: EmptyHeader, handle: all }),
  ]

  /** What was committed before this request, wherever: an offset too low would be consumed again by a group's new member. */
  async function query(header: QueryConsumerOffsetRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    const { consumerGroup, topic, queueId } = header
    const known = commits.pending(topic, consumerGroup, queueId) ?? offsets.get(topic, consumerGroup, queueId)
    if (known !== undefined) return { code: ResponseCode.SUCCESS, header: { offset: known } }
    if (header.setZeroIfNotFound === false) {
      throw refusal('BROKER_NOT_FOUND', 'Not found, do not set to zero, maybe this group boot first')
    }
    // A queue that is young is consumed from its start.
    if (store.isYoung(topic, queueId)) return { code: ResponseCode.SUCCESS, header: { offset: 0 } }
    throw refusal('BROKER_NOT_FOUND', 'Not found, V3_0_6_SNAPSHOT maybe this group consumer boot first')
  }

  function update(header: UpdateConsumerOffsetRequestHeader, call: Call): Reply | undefined {
    const { consumerGroup, topic, queueId, commitOffset } = header
    if (!groups.has(consumerGroup)) throw refusal('BROKER_GROUP_NOT_EXIST', `Group ${consumerGroup} not exist!`)
    if (!topics.has(topic)) throw refusal('BROKER_TOPIC_NOT_EXIST', `Topic ${topic} not exist!`)
    if (queueId < 0 || commitOffset < 0) {
      throw refusal('BROKER_INVALID_PARAMETER', `offset ${commitOffset} of queue ${queueId}`)
    }
    if (call.oneway) {
      commits.offer(topic, consumerGroup, queueId, commitOffset)
      return { code: ResponseCode.SUCCESS }
    }
    commits.commit(topic, consumerGroup, queueId, commitOffset, (error) => {
      if (error === undefined) call.respond({ code: ResponseCode.SUCCESS })
      else fail(need.recover, call, error)
    })
    return undefined
  }

  async function list({ consumerGroup }: GetConsumerListByGroupRequestHeader): Promise<Reply> {
    await leadership.readBarrier()
    const consumerIdList = clients.clientIds(consumerGroup)
    if (consumerIdList.length === 0) {
      throw refusal('BROKER_REFUSED', `no consumer for this group, ${consumerGroup}`)
    }
    let body = listBodies.get(consumerIdList)
    if (body === undefined) {
      body = GetConsumerListByGroupResponseBody.encode({ consumerIdList })
      listBodies.set(consumerIdList, body)
    }
    return { code: ResponseCode.SUCCESS, body }
  }

  function all(): Reply {
    const body = ConsumerOffsetSerializeWrapper.encode({
      dataVersion: noDataVersion,
      offsetTable: new Map(offsets.all()),
    })
    return { code: ResponseCode.SUCCESS, body }
  }
}
