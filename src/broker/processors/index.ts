/** All routes of a broker. */
import { assert } from '../../lib/assert.ts'
import type { Route } from '../../remoting/route.ts'
import { type AssignmentNeeds, assignment } from './assignment.ts'
import { type CleaningNeeds, cleaning } from './cleaning.ts'
import { type ClientRequestNeeds, clientRequest } from './client-request.ts'
import { type ConnectionsNeeds, connections } from './connections.ts'
import { type ConsumerOffsetNeeds, consumerOffset } from './consumer-offset.ts'
import { type EndTransactionNeeds, endTransaction } from './end-transaction.ts'
import { type GroupAdminNeeds, groupAdmin } from './group-admin.ts'
import { type HeartbeatNeeds, heartbeat } from './heartbeat.ts'
import { type MembersAdminNeeds, membersAdmin } from './members.ts'
import { type PopAckNeeds, popAck } from './pop-ack.ts'
import { type PopMessageNeeds, popMessage } from './pop-message.ts'
import { type PullMessageNeeds, pullMessage } from './pull-message.ts'
import { type QueryMessageNeeds, queryMessage } from './query-message.ts'
import { type QueueInspectionNeeds, queueInspection } from './queue-inspection.ts'
import { type QueueLockNeeds, queueLock } from './queue-lock.ts'
import { type QueueOffsetNeeds, queueOffset } from './queue-offset.ts'
import { type ReplyMessageNeeds, replyMessage } from './reply-message.ts'
import { type ResetOffsetNeeds, resetOffset } from './reset-offset.ts'
import { type RecallMessageNeeds, recallMessage } from './recall-message.ts'
import { type RuntimeInfoNeeds, runtimeInfo } from './runtime-info.ts'
import { type SendBackNeeds, sendBack } from './send-back.ts'
import { type RaftAdminNeeds, raftAdmin } from './raft-admin.ts'
import { type SendManyNeeds, sendMany } from './send-many.ts'
import { type SendMessageNeeds, sendMessage } from './send-message.ts'
import { type TopicAdminNeeds, topicAdmin } from './topic-admin.ts'
import { whereHandled } from './where.ts'

/** Everything that any processor needs; each takes the few that it names. */
export type ProcessorNeeds = AssignmentNeeds &
  CleaningNeeds &
  ClientRequestNeeds &
  ConnectionsNeeds &
  ConsumerOffsetNeeds &
  EndTransactionNeeds &
  GroupAdminNeeds &
  HeartbeatNeeds &
  MembersAdminNeeds &
  PopAckNeeds &
  PopMessageNeeds &
  PullMessageNeeds &
  QueryMessageNeeds &
  QueueInspectionNeeds &
  QueueLockNeeds &
  QueueOffsetNeeds &
  RaftAdminNeeds &
  ReplyMessageNeeds &
  ResetOffsetNeeds &
  RecallMessageNeeds &
  RuntimeInfoNeeds &
  SendBackNeeds &
  SendManyNeeds &
  SendMessageNeeds &
  TopicAdminNeeds

const processors: readonly ((need: ProcessorNeeds) => Route<unknown>[])[] = [
  assignment,
  cleaning,
  clientRequest,
  connections,
  consumerOffset,
  endTransaction,
  groupAdmin,
  heartbeat,
  membersAdmin,
  popAck,
  popMessage,
  pullMessage,
  queryMessage,
  queueInspection,
  queueLock,
  queueOffset,
  raftAdmin,
  replyMessage,
  resetOffset,
  recallMessage,
  runtimeInfo,
  sendBack,
  sendMany,
  sendMessage,
  topicAdmin,
]

/** One route per request code, each with its place in `where.ts`. */
export function brokerRoutes(need: ProcessorNeeds): Route<unknown>[] {
  const routes = processors.flatMap((processor) => processor(need))
  const codes = new Set<number>()
  for (const { code } of routes) {
    assert(!codes.has(code), `two routes for request code ${code}`)
    assert(whereHandled(code) !== undefined, `request code ${code} has no place in where.ts`)
    codes.add(code)
  }
  return routes
}
