/** `docs/compatibility.md`'s table of request codes, made from the routing tables themselves. */
import { refusedBecause } from '../../src/broker/refused-codes.ts'
import { RequestCode } from '../../src/remoting/codes.ts'

export interface Routed {
  readonly broker: ReadonlySet<number>
  readonly namesrv: ReadonlySet<number>
}

/** What is missing of a code that is answered. */
export const partial: Readonly<Partial<Record<keyof typeof RequestCode, string>>> = {
  UPDATE_BROKER_CONFIG:
    'for this node until its next start; keys that are asked anew for each request, and those of retention; flushDiskType and raftReplication for the whole group, for good',
}

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
  const why = refusedBecause(code)
  return why === undefined ? 'not yet' : `refused: ${why}`
}

/** Requests of a broker to a client that need no route: they are sent. */
const clientSide: ReadonlySet<string> = new Set([
  'CHECK_TRANSACTION_STATE',
  'NOTIFY_CONSUMER_IDS_CHANGED',
  'RESET_CONSUMER_CLIENT_OFFSET',
  'GET_CONSUMER_STATUS_FROM_CLIENT',
  'PUSH_REPLY_MESSAGE_TO_CLIENT',
])
