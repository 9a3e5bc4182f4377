/** Clients come and go: 34, 35, 46 (RocketMQ ClientManageProcessor). */
import { CheckClientRequestBody, HeartbeatData } from '../../remoting/bodies/client.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { UnregisterClientRequestHeader } from '../../remoting/headers/client.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { ClientSessions } from '../clients/client-sessions.ts'
import { checkExpressionType, compileFilter, isTagExpression } from '../clients/subscription.ts'

export interface HeartbeatNeeds {
  readonly sessions: Pick<ClientSessions, 'heartbeat' | 'unregister'>
  readonly options: { readonly enablePropertyFilter: boolean }
}

/**
 * The short form of heartbeats, which leaves out subscriptions that a broker knows, is not for a group of nodes whose
 * leader changes: clients that hear this keep sending whole ones.
 */
const shortForm = { IS_SUPPORT_HEART_BEAT_V2: 'false', IS_SUB_CHANGE: 'true' }

export function heartbeat({ sessions, options }: HeartbeatNeeds): Route<unknown>[] {
  return [
    route({ code: RequestCode.HEART_BEAT, request: EmptyHeader, handle: beat }),
    route({ code: RequestCode.UNREGISTER_CLIENT, request: UnregisterClientRequestHeader, handle: unregister }),
    route({ code: RequestCode.CHECK_CLIENT_CONFIG, request: EmptyHeader, handle: check }),
  ]

  async function beat(_header: unknown, call: Call): Promise<Reply> {
    const data = HeartbeatData.decode(call.body)
    const members = await sessions.heartbeat(call.connection, {
      clientId: data.clientID,
      language: call.language,
      version: call.version,
      address: call.connection.remoteAddress,
      producerGroups: data.producerDataSet.map(({ groupName }) => groupName),
      consumers: data.consumerDataSet,
      withoutSubscriptions: data.heartbeatFingerprint !== 0 && data.withoutSub,
    })
    // A field of ours: a consumer that knows this digest need not ask for the list (38).
    const known = members === undefined || members.length === 0 ? {} : { groupMembers: members.join(' ') }
    return { code: ResponseCode.SUCCESS, header: { ...shortForm, ...known } }
  }

  function unregister(header: UnregisterClientRequestHeader, call: Call): Reply {
    const { clientID, producerGroup, consumerGroup } = header
    sessions.unregister(call.connection, { clientId: clientID, producerGroup, consumerGroup })
    return { code: ResponseCode.SUCCESS }
  }
  /** 46: a consumer asks before it starts whether its filter will do. */
  function check(_header: unknown, call: Call): Reply {
    const { expressionType, subString } = CheckClientRequestBody.decode(call.body).subscriptionData
    if (!isTagExpression(expressionType)) {
      checkExpressionType(expressionType, options)
      compileFilter(expressionType, subString)
    }
    return { code: ResponseCode.SUCCESS }
  }
}
