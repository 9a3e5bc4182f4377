/** `docs/compatibility.md`'s table of request codes, made from the routing tables themselves. */
import { RequestCode } from '../../src/remoting/codes.ts'

export interface Routed {
  readonly broker: ReadonlySet<number>
  readonly namesrv: ReadonlySet<number>
}

/** What is missing of a code that is answered. */
export const partial: Readonly<Partial<Record<keyof typeof RequestCode, string>>> = {
  SEND_MESSAGE: 'timer messages are refused with a clear remark',
  SEND_MESSAGE_V2: 'timer messages are refused with a clear remark',
  UPDATE_BROKER_CONFIG:
    'for this node until its next start; keys that matter from one request to the next; flushDiskType and raftReplication for the whole group, for good',
  INVOKE_BROKER_TO_RESET_OFFSET: 'through the online consumers (220); with none online 206, and tools fall back to 15',
}

/** Codes that this project does not mean to answer, and why. Everything else without a route is not there yet. */
export const never: readonly (readonly [why: string, matches: RegExp])[] = [
  [
    'no controller: Raft elects',
    /^(CONTROLLER_|NOTIFY_BROKER_ROLE|GET_SYNC_STATE|UPDATE_CONTROLLER|GET_CONTROLLER|CLEAN_BROKER_DATA)/,
  ],
  ['no broker containers', /^(ADD_BROKER|REMOVE_BROKER)$/],
  ['no RocksDB', /ROCKSDB/],
  ['no static topics', /STATIC_TOPIC/],
  [
    'RocketMQ’s own replication between brokers; a group here replicates by Raft',
    /^(EXCHANGE_BROKER_HA_INFO|RESET_MASTER_FLUSH_OFFSET|NOTIFY_MIN_BROKER_ID_CHANGE|GET_BROKER_EPOCH_CACHE|GET_BROKER_HA_STATUS)$/,
  ],
  ['no cold data', /COLD_DATA|COMMITLOG_READ_MODE/],
  ['class filters were removed from RocketMQ', /FILTER/],
]

/** One Markdown table row per request code of RocketMQ, by code. */
export function requestCodeRows(routed: Routed): string[] {
  return Object.entries(RequestCode)
    .sort(([, a], [, b]) => a - b)
    .map(([name, code]) => `| ${code} | ${name} | ${receivers(routed, code)} | ${status(routed, name, code)} |`)
}

function receivers({ broker, namesrv }: Routed, code: number): string {
  return [namesrv.has(code) ? 'name server' : '', broker.has(code) ? 'broker' : '']
    .filter((text) => text !== '')
    .join(', ')
}

function status({ broker, namesrv }: Routed, name: string, code: number): string {
  if (clientSide.has(name)) return 'done: the broker sends it to clients'
  const isRouted = broker.has(code) || namesrv.has(code)
  const missing = new Map<string, string>(Object.entries(partial)).get(name)
  if (isRouted) return missing === undefined ? 'done' : `partial: ${missing}`
  const why = never.find(([, matches]) => matches.test(name))?.[0]
  return why === undefined ? 'not yet' : `never: ${why}`
}

/** Requests of a broker to a client that need no route: they are sent. */
const clientSide: ReadonlySet<string> = new Set([
  'CHECK_TRANSACTION_STATE',
  'NOTIFY_CONSUMER_IDS_CHANGED',
  'RESET_CONSUMER_CLIENT_OFFSET',
  'GET_CONSUMER_STATUS_FROM_CLIENT',
  'PUSH_REPLY_MESSAGE_TO_CLIENT',
])
