/** Who is connected as a group (203). */
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { succeeded } from '../core/broker-api.ts'
import { field, listOf, parseBody, textOf } from '../core/java-json.ts'
import { compareText } from '../core/message-queue.ts'
import { checkGroupName } from '../core/names.ts'
import { leaderAddress } from './connection.ts'
import type { AdminConnection } from './connection.ts'

export interface GroupMember {
  readonly clientId: string
  readonly address: string
  readonly language: string
}

/** The clients of a group that are connected now, sorted. Errors: `CLIENT_OPTION` for an impossible name. */
export async function groupMembers(at: AdminConnection, group: string): Promise<GroupMember[]> {
  checkGroupName(group)
  const members = new Map<string, GroupMember>()
  for (const broker of await at.brokers()) {
    const request = { code: RequestCode.GET_CONSUMER_CONNECTION_LIST, header: { consumerGroup: group } }
    const answer = await at.invoke(leaderAddress(broker), request)
    if (answer.code === ResponseCode.CONSUMER_NOT_ONLINE) continue
    for (const row of listOf(field(parseBody(succeeded(answer).body), 'connectionSet'))) {
      const clientId = textOf(field(row, 'clientId')) ?? ''
      const address = textOf(field(row, 'clientAddr')) ?? ''
      members.set(clientId, { clientId, address, language: textOf(field(row, 'language')) ?? '' })
    }
  }
  return [...members.values()].sort((a, b) => compareText(a.clientId, b.clientId))
}
