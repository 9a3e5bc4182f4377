/** Who is connected: 203, 204, 328 (RocketMQ AdminBrokerProcessor). */
import {
  type ClientConnection,
  ConsumerConnection,
  ProducerConnection,
  ProducerTableInfo,
} from '../../remoting/bodies/client.ts'
import { languageName, RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import {
  GetConsumerConnectionListRequestHeader,
  GetProducerConnectionListRequestHeader,
} from '../../remoting/headers/client.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import type { Clients, Member } from '../clients/clients.ts'
import { refusal } from '../errors.ts'

export interface ConnectionsNeeds {
  readonly clients: Pick<Clients, 'consumerGroup' | 'consumers' | 'producers' | 'producerGroups'>
}

export function connections({ clients }: ConnectionsNeeds): Route<unknown>[] {
  return [
    route({
      code: RequestCode.GET_CONSUMER_CONNECTION_LIST,
      request: GetConsumerConnectionListRequestHeader,
      handle: consumers,
    }),
    route({
      code: RequestCode.GET_PRODUCER_CONNECTION_LIST,
      request: GetProducerConnectionListRequestHeader,
      handle: producers,
    }),
    route({ code: RequestCode.GET_ALL_PRODUCER_INFO, request: EmptyHeader, handle: allProducers }),
  ]

  function consumers({ consumerGroup }: GetConsumerConnectionListRequestHeader): Reply {
    const group = clients.consumerGroup(consumerGroup)
    if (group === undefined) {
      throw refusal('BROKER_CONSUMER_OFFLINE', `the consumer group[${consumerGroup}] not online`)
    }
    const body = ConsumerConnection.encode({
      connectionSet: clients.consumers(consumerGroup).map((member) => connectionOf(member)),
      consumeFromWhere: group.consumeFromWhere,
      consumeType: group.consumeType,
      messageModel: group.messageModel,
      subscriptionTable: new Map([...group.subscriptions].map(([topic, { data }]) => [topic, data])),
    })
    return { code: ResponseCode.SUCCESS, body }
  }

  function producers({ producerGroup }: GetProducerConnectionListRequestHeader): Reply {
    const members = clients.producers(producerGroup)
    if (members === undefined) throw refusal('BROKER_REFUSED', `the producer group[${producerGroup}] not exist`)
    const body = ProducerConnection.encode({ connectionSet: members.map((member) => connectionOf(member)) })
    return { code: ResponseCode.SUCCESS, body }
  }

  function allProducers(): Reply {
    const rows = clients.producerGroups().map((group) => {
      const members = (clients.producers(group) ?? []).map((member) => ({
        clientId: member.clientId,
        language: languageName(member.language),
        lastUpdateTimestamp: member.lastHeartbeatAtMs,
        remoteIP: member.address,
        version: member.version,
      }))
      return [group, members] as const
    })
    return { code: ResponseCode.SUCCESS, body: ProducerTableInfo.encode({ data: new Map(rows) }) }
  }
}

function connectionOf(member: Member): ClientConnection {
  const { address, clientId, language, version } = member
  return { clientAddr: address, clientId, language: languageName(language), version }
}
