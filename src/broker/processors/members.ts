/**
 * The members of the group: listed, and changed by an operator or by a slave that comes. Codes of our own: RocketMQ's
 * DLedger groups cannot change, and its slaves connect to another port.
 */
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { RaftmqCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { ChangeMembersRequestHeader, JoinMasterRequestHeader } from '../../remoting/headers/members.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'
import type { BrokerIdentity } from '../identity.ts'
import type { MemberList } from '../group/members.ts'
import type { Slave } from '../group/slave-joins.ts'
import type { MemberChange } from '../../raft/member-change.ts'
import { raftErrors } from '../../raft/errors.ts'
import { formatAddress, NODE_ID, parseAddress } from '../options/options-values.ts'

export interface MembersAdminNeeds {
  readonly identity: BrokerIdentity
  readonly members: {
    list(): MemberList
    change(change: MemberChange): Promise<void>
  }
  readonly slaves: { join(slave: Slave): Promise<string> }
}

export function membersAdmin({ identity, members, slaves }: MembersAdminNeeds): Route<unknown>[] {
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
    route({
      code: RaftmqCode.JOIN_MASTER,
      request: JoinMasterRequestHeader,
      async handle({ id, clusterId, place }) {
        if (id !== undefined) checkId(id)
        try {
          const given = await slaves.join({ id, clusterId, place: placeOf(place) })
          return { code: ResponseCode.SUCCESS, header: { id: given } }
        } catch (error) {
          return replyOf(error)
        }
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
  checkId(id)
  if (change === 'promote' || change === 'remove') return { kind: change, id }
  if (change === 'add') return { kind: change, id, place: placeOf(place ?? '') }
  if (change === 'replace') {
    checkId(by ?? '')
    return { kind: change, id, by: by ?? '' }
  }
  throw refusal('BROKER_INVALID_PARAMETER', `${change} is none of add, promote, remove and replace`)
}

function checkId(id: string): void {
  if (!NODE_ID.test(id))
    throw refusal('BROKER_INVALID_PARAMETER', `${id === '' ? 'nothing' : id} is no id of a node, such as n3`)
}

function placeOf(text: string): string {
  const address = parseAddress(text)
  if (address === undefined)
    throw refusal('BROKER_INVALID_PARAMETER', `${text === '' ? 'nothing' : text} is no host:port`)
  return formatAddress(address)
}
