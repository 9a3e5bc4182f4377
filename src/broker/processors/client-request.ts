/**
 * Administrators ask something of a consumer: 223, 307, 309 (RocketMQ AdminBrokerProcessor, Broker2Client). The
 * broker asks the consumer, over whatever node holds its connection, and hands its answer on.
 */
import { decodeOffsetMessageId } from '../../message/message-id.ts'
import { GetConsumerStatusBody } from '../../remoting/bodies/queue.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import {
  ConsumeMessageDirectlyResultRequestHeader,
  GetConsumerRunningInfoRequestHeader,
  GetConsumerStatusRequestHeader,
} from '../../remoting/headers/client.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { ClientRelay } from '../clients/client-relay.ts'
import type { Clients } from '../clients/clients.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { SubscriptionGroups } from '../tables/subscription-groups.ts'
import type { Topics } from '../tables/topics.ts'

export interface ClientRequestNeeds {
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly clients: Pick<Clients, 'consumer' | 'consumers'>
  readonly relay: Pick<ClientRelay, 'ask'>
  readonly store: {
    recordAt(offset: number): Promise<Buffer | undefined>
  }
  readonly identity: BrokerIdentity
}

/** RocketMQ waits 10 s in callClient, 5 s in getConsumeStatus; mqadmin itself waits 5 s. */
const ASK_TIMEOUT_MS = 4_500

export function clientRequest(need: ClientRequestNeeds): Route<unknown>[] {
  const { topics, groups, clients, relay, store, identity } = need

  return [
    route({
      code: RequestCode.INVOKE_BROKER_TO_GET_CONSUMER_STATUS,
      request: GetConsumerStatusRequestHeader,
      handle: status,
    }),
    route({
      code: RequestCode.GET_CONSUMER_RUNNING_INFO,
      request: GetConsumerRunningInfoRequestHeader,
      handle: (header, call) => askOne(header.consumerGroup, header.clientId, call, call.body),
    }),
    route({
      code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
      request: ConsumeMessageDirectlyResultRequestHeader,
      handle: consumeDirectly,
    }),
  ]

  /** The request goes on with its fields as they came, and those that the broker adds. */
  async function askOne(
    group: string,
    clientId: string | undefined,
    call: Call,
    body: Buffer,
    added: Readonly<Record<string, string | number>> = {},
  ): Promise<Reply> {
    const member = clientId === undefined ? clients.consumers(group)[0] : clients.consumer(group, clientId)
    if (member === undefined) throw refusal('BROKER_REFUSED', `The Consumer <${group}> <${clientId ?? ''}> not online`)
    const header = { ...call.fields.toRecord(), ...added }
    const answer = await relay.ask(member, { code: call.code, header, body }, ASK_TIMEOUT_MS)
    return { code: answer.code, remark: answer.remark, header: answer.fields, body: answer.body }
  }

  async function consumeDirectly(header: ConsumeMessageDirectlyResultRequestHeader, call: Call): Promise<Reply> {
    const { consumerGroup, clientId, msgId, topic } = header
    const { offset } = decodeOffsetMessageId(msgId ?? '')
    const record = await store.recordAt(offset)
    if (record === undefined) throw refusal('BROKER_REFUSED', `can not find message by the id, ${msgId ?? ''}`)
    const topicSysFlag = topic === undefined ? undefined : topics.get(topic)?.topicSysFlag
    const groupSysFlag = groups.get(consumerGroup)?.groupSysFlag
    return askOne(consumerGroup, clientId, call, record, {
      brokerName: identity.brokerName,
      ...(topicSysFlag === undefined ? {} : { topicSysFlag }),
      ...(groupSysFlag === undefined ? {} : { groupSysFlag }),
    })
  }

  async function status({ topic, group, clientAddr }: GetConsumerStatusRequestHeader): Promise<Reply> {
    const members = clients
      .consumers(group)
      .filter(({ clientId }) => clientAddr === undefined || clientAddr === clientId)
    if (members.length === 0) {
      throw refusal('BROKER_REFUSED', `No Any Consumer online in the consumer group: [${group}]`)
    }
    const request = { code: RequestCode.GET_CONSUMER_STATUS_FROM_CLIENT, header: { topic, group } }
    const answers = await Promise.allSettled(members.map((member) => relay.ask(member, request, ASK_TIMEOUT_MS)))
    const consumerTable = new Map<string, GetConsumerStatusBody['messageQueueTable']>()
    answers.forEach((answer, at) => {
      const member = members[at]
      if (answer.status === 'rejected' || member === undefined || answer.value.body.length === 0) return
      consumerTable.set(member.clientId, GetConsumerStatusBody.decode(answer.value.body).messageQueueTable)
    })
    const body = GetConsumerStatusBody.encode({ consumerTable, messageQueueTable: [] })
    return { code: ResponseCode.SUCCESS, body }
  }
}
