/** The members of the group: listed, and changed. Codes of our own; RocketMQ's DLedger groups cannot change. */
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { RaftmqCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { ChangeMembersRequestHeader } from '../../remoting/headers/members.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { MemberList } from '../group/members.ts'
import type { MemberChange } from '../../raft/member-change.ts'
import { raftErrors } from '../../raft/errors.ts'
import { formatAddress, NODE_ID, parseAddress } from '../options/options-values.ts'

export interface MembersAdminNeeds {
  readonly identity: BrokerIdentity
  readonly members: {
    list(): MemberList
    change(change: MemberChange): Promise<void>
  }
}

export function membersAdmin({ identity, members }: MembersAdminNeeds): Route<unknown>[] {
  return [
    route({
      code: RaftmqCode.GET_MEMBERS,
      request: EmptyHeader,
      handle: () => ({
        code: ResponseCode.SUCCESS,
        body: Buffer.from(JSON.stringify({ broker: identity.brokerName, ...members.list() })),
      }),
    }),
    route({
      code: RaftmqCode.CHANGE_MEMBERS,
      request: ChangeMembersRequestHeader,
      async handle(header) {
        const change = changeOf(header)
        try {
          await members.change(change)
        } catch (error) {
          return replyOf(error)
        }
        return { code: ResponseCode.SUCCESS }
      },
    }),
  ]
}

/** Raft's own codes reach the one who asked as they are, beside RocketMQ's. */
function replyOf(error: unknown): Reply {
  const code = errorCode(error) ?? ''
  if (!Object.hasOwn(raftErrors.specs, code)) throw error
  return { code: ResponseCode.SYSTEM_ERROR, remark: errorMessage(error), header: { errorCode: code } }
}

/** @throws `BROKER_INVALID_PARAMETER` */
function changeOf({ change, id, place, by }: ChangeMembersRequestHeader): MemberChange {
  if (!NODE_ID.test(id)) throw refusal('BROKER_INVALID_PARAMETER', `${id} is no id of a node, such as n3`)
  if (change === 'promote' || change === 'remove') return { kind: change, id }
  if (change === 'add') {
    const address = parseAddress(place ?? '')
    if (address === undefined) throw refusal('BROKER_INVALID_PARAMETER', `${place ?? 'nothing'} is no host:port`)
    return { kind: change, id, place: formatAddress(address) }
  }
  if (change === 'replace') {
    if (!NODE_ID.test(by ?? '')) throw refusal('BROKER_INVALID_PARAMETER', `${by ?? 'nothing'} is no id of a node`)
    return { kind: change, id, by: by ?? '' }
  }
  throw refusal('BROKER_INVALID_PARAMETER', `${change} is none of add, promote, remove and replace`)
}
