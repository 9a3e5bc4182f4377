/**
 * Requests that a broker here does not answer, on purpose, and why: the reason is in the remark, and in the table of
 * `docs/compatibility.md`.
 */
import { RequestCode } from '../remoting/codes.ts'

type Name = keyof typeof RequestCode

const reasons: readonly (readonly [why: string, names: readonly Name[]])[] = [
  [
    'no stock client or tool sends it, and no stock broker answers it',
    [
      'QUERY_BROKER_OFFSET',
      'GET_TOPIC_CONFIG_LIST',
      'GET_TOPIC_NAME_LIST',
      'TRIGGER_DELETE_FILES',
      'GET_CLIENT_CONFIG',
      'SUSPEND_CONSUMER',
      'RESUME_CONSUMER',
      'RESET_CONSUMER_OFFSET_IN_CONSUMER',
      'RESET_CONSUMER_OFFSET_IN_BROKER',
      'ADJUST_CONSUMER_THREAD_POOL',
      'WHO_CONSUME_THE_MESSAGE',
    ],
  ],
  [
    'no access control: put the port behind a firewall',
    [
      'UPDATE_AND_CREATE_ACL_CONFIG',
      'DELETE_ACL_CONFIG',
      'GET_BROKER_CLUSTER_ACL_INFO',
      'UPDATE_GLOBAL_WHITE_ADDRS_CONFIG',
      'GET_BROKER_CLUSTER_ACL_CONFIG',
      'AUTH_CREATE_USER',
      'AUTH_UPDATE_USER',
      'AUTH_DELETE_USER',
      'AUTH_GET_USER',
      'AUTH_LIST_USER',
      'AUTH_CREATE_ACL',
      'AUTH_UPDATE_ACL',
      'AUTH_DELETE_ACL',
      'AUTH_GET_ACL',
      'AUTH_LIST_ACL',
    ],
  ],
  [
    'RocketMQ’s own replication between brokers; a group here replicates by Raft',
    [
      'GET_TIMER_CHECK_POINT',
      'GET_TIMER_METRICS',
      'NOTIFY_MIN_BROKER_ID_CHANGE',
      'EXCHANGE_BROKER_HA_INFO',
      'GET_BROKER_HA_STATUS',
      'RESET_MASTER_FLUSH_OFFSET',
      'GET_BROKER_EPOCH_CACHE',
    ],
  ],
  [
    'no controller: Raft elects',
    [
      'CONTROLLER_ALTER_SYNC_STATE_SET',
      'CONTROLLER_ELECT_MASTER',
      'CONTROLLER_REGISTER_BROKER',
      'CONTROLLER_GET_REPLICA_INFO',
      'CONTROLLER_GET_METADATA_INFO',
      'CONTROLLER_GET_SYNC_STATE_DATA',
      'NOTIFY_BROKER_ROLE_CHANGED',
      'UPDATE_CONTROLLER_CONFIG',
      'GET_CONTROLLER_CONFIG',
      'CLEAN_BROKER_DATA',
      'CONTROLLER_GET_NEXT_BROKER_ID',
      'CONTROLLER_APPLY_BROKER_ID',
    ],
  ],
  ['class filters were removed from RocketMQ', ['REGISTER_FILTER_SERVER', 'REGISTER_MESSAGE_FILTER_CLASS']],
  ['no RocksDB', ['CHECK_ROCKSDB_CQ_WRITE_PROGRESS', 'EXPORT_ROCKSDB_CONFIG_TO_JSON']],
  ['no static topics', ['UPDATE_AND_CREATE_STATIC_TOPIC']],
  ['no broker containers', ['ADD_BROKER', 'REMOVE_BROKER']],
  [
    'no cold data',
    [
      'UPDATE_COLD_DATA_FLOW_CTR_CONFIG',
      'REMOVE_COLD_DATA_FLOW_CTR_CONFIG',
      'GET_COLD_DATA_FLOW_CTR_INFO',
      'SET_COMMITLOG_READ_MODE',
    ],
  ],
  ['one timer engine', ['SWITCH_TIMER_ENGINE']],
  [
    'no lite topics',
    [
      'POP_LITE_MESSAGE',
      'LITE_SUBSCRIPTION_CTL',
      'ACK_LITE_MESSAGE',
      'NOTIFY_UNSUBSCRIBE_LITE',
      'GET_BROKER_LITE_INFO',
      'GET_PARENT_TOPIC_INFO',
      'GET_LITE_TOPIC_INFO',
      'GET_LITE_CLIENT_INFO',
      'GET_LITE_GROUP_INFO',
      'TRIGGER_LITE_DISPATCH',
    ],
  ],
]

const byCode: ReadonlyMap<number, string> = new Map(
  reasons.flatMap(([why, names]) => names.map((name) => [RequestCode[name], why] as const)),
)

/** Why a code is refused; undefined for a code that is answered, or unknown. */
export function refusedBecause(code: number): string | undefined {
  return byCode.get(code)
}
