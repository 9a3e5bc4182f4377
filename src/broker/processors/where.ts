/**
 * Where a request is handled in a group of nodes: by the leader, to whom every other node forwards it; by the node that
 * it reached; or by that node, which then shares what it learned with the leader.
 */
import { RaftmqCode, RequestCode } from '../../remoting/codes.ts'

export type Where = 'leader' | 'local' | 'shared'

const table: Readonly<Partial<Record<keyof typeof RequestCode, Where>>> = {
  SEND_MESSAGE: 'leader',
  SEND_MESSAGE_V2: 'leader',
  SEND_BATCH_MESSAGE: 'leader',
  SEND_REPLY_MESSAGE: 'leader',
  SEND_REPLY_MESSAGE_V2: 'leader',
  CONSUMER_SEND_MSG_BACK: 'leader',
  END_TRANSACTION: 'leader',
  RESUME_CHECK_HALF_MESSAGE: 'leader',
  RECALL_MESSAGE: 'leader',

  // Committed messages are the same on every node.
  PULL_MESSAGE: 'local',
  LITE_PULL_MESSAGE: 'local',
  QUERY_MESSAGE: 'local',
  VIEW_MESSAGE_BY_ID: 'local',

  POP_MESSAGE: 'leader',
  PEEK_MESSAGE: 'leader',
  NOTIFICATION: 'leader',
  POLLING_INFO: 'leader',
  POP_ROLLBACK: 'leader',
  ACK_MESSAGE: 'leader',
  BATCH_ACK_MESSAGE: 'leader',
  CHANGE_MESSAGE_INVISIBLETIME: 'leader',
  QUERY_ASSIGNMENT: 'leader',
  SET_MESSAGE_REQUEST_MODE: 'leader',
  GET_ALL_MESSAGE_REQUEST_MODE: 'leader',

  QUERY_CONSUMER_OFFSET: 'leader',
  UPDATE_CONSUMER_OFFSET: 'leader',
  SEARCH_OFFSET_BY_TIMESTAMP: 'leader',
  GET_MAX_OFFSET: 'leader',
  GET_MIN_OFFSET: 'leader',
  GET_EARLIEST_MSG_STORETIME: 'leader',
  GET_ALL_CONSUMER_OFFSET: 'leader',
  GET_ALL_DELAY_OFFSET: 'leader',

  HEART_BEAT: 'shared',
  UNREGISTER_CLIENT: 'shared',
  CHECK_CLIENT_CONFIG: 'local',
  GET_CONSUMER_LIST_BY_GROUP: 'leader',
  LOCK_BATCH_MQ: 'leader',
  UNLOCK_BATCH_MQ: 'leader',

  UPDATE_AND_CREATE_TOPIC: 'leader',
  UPDATE_AND_CREATE_TOPIC_LIST: 'leader',
  DELETE_TOPIC_IN_BROKER: 'leader',
  GET_ALL_TOPIC_CONFIG: 'leader',
  GET_TOPIC_CONFIG: 'leader',
  GET_TOPIC_STATS_INFO: 'leader',
  QUERY_TOPIC_CONSUME_BY_WHO: 'leader',
  GET_SYSTEM_TOPIC_LIST_FROM_BROKER: 'leader',

  UPDATE_AND_CREATE_SUBSCRIPTIONGROUP: 'leader',
  UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST: 'leader',
  DELETE_SUBSCRIPTIONGROUP: 'leader',
  GET_ALL_SUBSCRIPTIONGROUP_CONFIG: 'leader',
  GET_SUBSCRIPTIONGROUP_CONFIG: 'leader',
  GET_CONSUME_STATS: 'leader',
  GET_BROKER_CONSUME_STATS: 'leader',
  QUERY_TOPICS_BY_CONSUMER: 'leader',
  QUERY_SUBSCRIPTION_BY_CONSUMER: 'leader',
  UPDATE_AND_GET_GROUP_FORBIDDEN: 'leader',
  QUERY_CONSUME_TIME_SPAN: 'leader',
  QUERY_CORRECTION_OFFSET: 'leader',
  QUERY_CONSUME_QUEUE: 'leader',
  CLONE_GROUP_OFFSET: 'leader',
  CLEAN_EXPIRED_CONSUMEQUEUE: 'leader',
  CLEAN_UNUSED_TOPIC: 'leader',
  DELETE_EXPIRED_COMMITLOG: 'leader',

  GET_CONSUMER_CONNECTION_LIST: 'leader',
  GET_PRODUCER_CONNECTION_LIST: 'leader',
  GET_ALL_PRODUCER_INFO: 'leader',
  GET_CONSUMER_RUNNING_INFO: 'leader',
  CONSUME_MESSAGE_DIRECTLY: 'leader',
  INVOKE_BROKER_TO_RESET_OFFSET: 'leader',
  INVOKE_BROKER_TO_GET_CONSUMER_STATUS: 'leader',

  // Each node tells of itself.
  UPDATE_BROKER_CONFIG: 'local',
  GET_BROKER_CONFIG: 'local',
  GET_BROKER_RUNTIME_INFO: 'local',
  VIEW_BROKER_STATS_DATA: 'local',
}

const places: ReadonlyMap<number, Where> = new Map([
  ...byCode(table),
  [RaftmqCode.TRANSFER_LEADERSHIP, 'leader'],
  [RaftmqCode.GET_TABLES_STATE, 'local'],
  [RaftmqCode.ACCEPT_DOUBT, 'local'],
  [RaftmqCode.GET_MEMBERS, 'leader'],
  [RaftmqCode.CHANGE_MEMBERS, 'leader'],
  [RaftmqCode.JOIN_MASTER, 'leader'],
  [RaftmqCode.SEND_TO_MANY_QUEUES, 'leader'],
])

/** Undefined for a code that no route of the broker has. */
export function whereHandled(code: number): Where | undefined {
  return places.get(code)
}

function byCode(byName: Readonly<Record<string, Where | undefined>>): ReadonlyMap<number, Where> {
  const found = new Map<number, Where>()
  for (const [name, code] of Object.entries(RequestCode)) {
    const where = byName[name]
    if (where !== undefined) found.set(code, where)
  }
  return found
}

/** Codes with a place, for the test that every route has one. */
export function placedCodes(): number[] {
  return [...places.keys()]
}

/** Done twice these store a message twice; everything else may be forwarded again when no answer came. */
const storing: ReadonlySet<number> = new Set([
  RequestCode.SEND_MESSAGE,
  RequestCode.SEND_MESSAGE_V2,
  RequestCode.SEND_BATCH_MESSAGE,
  RaftmqCode.SEND_TO_MANY_QUEUES,
  RequestCode.SEND_REPLY_MESSAGE,
  RequestCode.SEND_REPLY_MESSAGE_V2,
  RequestCode.CONSUMER_SEND_MSG_BACK,
  // A pop that was done and not answered comes again after its invisible time; done twice it takes more.
  RequestCode.POP_MESSAGE,
  RequestCode.RESUME_CHECK_HALF_MESSAGE,
])

export function mayRepeat(code: number): boolean {
  return !storing.has(code)
}

/** What consumers ask before they read: a slave answers it by what it has while its master is away. */
const readOnly: ReadonlySet<number> = new Set([
  RequestCode.GET_CONSUMER_LIST_BY_GROUP,
  RequestCode.QUERY_CONSUMER_OFFSET,
  RequestCode.SEARCH_OFFSET_BY_TIMESTAMP,
  RequestCode.GET_MAX_OFFSET,
  RequestCode.GET_MIN_OFFSET,
  RequestCode.GET_EARLIEST_MSG_STORETIME,
])

export function isAnsweredAlone(code: number): boolean {
  return readOnly.has(code)
}

/** Sent one-way by its client, and yet worth an answer between nodes: it is tried again at the next leader. */
export function isPursued(code: number): boolean {
  return code === RequestCode.END_TRANSACTION
}
