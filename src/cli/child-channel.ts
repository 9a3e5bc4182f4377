/**
 * What a node's process and its supervisor tell each other over the IPC channel. The channel is also the tie between
 * them: when it breaks, the supervisor is gone, however it went, and the node stops cleanly.
 */
import { promptness } from '../broker/group/group-mode.ts'
import type { BrokerStatus } from '../broker/running-broker.ts'

export type FromChild =
  | { readonly type: 'status'; readonly status: BrokerStatus }
  /** It was removed from its group, and will exit for good. */
  | { readonly type: 'removed' }
  /** It could not start or cannot go on, and will exit. */
  | { readonly type: 'failed'; readonly message: string }

export type ToChild = { readonly type: 'stop' }

export interface SupervisorChannel {
  tell(message: FromChild): void
  /** Breaks the tie, so that the process can end. */
  close(): void
}

/** The channel to the supervisor; undefined where a person started the process. */
export function supervisorChannel(onStop: (reason: string) => void): SupervisorChannel | undefined {
  if (process.send === undefined) return undefined
  process.on('message', (message: unknown) => {
    if (messageType(message) === 'stop') onStop('the supervisor asked for it')
  })
  process.on('disconnect', () => onStop('the supervisor is gone'))
  return {
    tell(message) {
      if (process.connected) process.send?.(message, undefined, undefined, () => {})
    },
    close() {
      if (process.connected) process.disconnect()
    },
  }
}

/** A message of a child, checked: undefined for anything else. */
export function readFromChild(message: unknown): FromChild | undefined {
  if (typeof message !== 'object' || message === null) return undefined
  const type = messageType(message)
  if (type === 'failed' && 'message' in message) return { type, message: String(message.message) }
  if (type === 'removed') return { type }
  if (type !== 'status' || !('status' in message) || typeof message.status !== 'object') return undefined
  const fields = new Map<string, unknown>(Object.entries(message.status ?? {}))
  const [role, term, leader] = [fields.get('role'), fields.get('term'), fields.get('leader')]
  if (role !== 'leader' && role !== 'follower' && role !== 'candidate') return undefined
  const known = typeof leader === 'string' ? leader : null
  const isReady = fields.get('isReady') === true
  return { type, status: { role, term: Number(term), leader: known, isReady, mode: readMode(fields.get('mode')) } }
}

function readMode(mode: unknown): BrokerStatus['mode'] {
  if (typeof mode !== 'object' || mode === null || !('flush' in mode) || !('replication' in mode)) return null
  const [flush, replication] = [promptness(mode.flush), promptness(mode.replication)]
  return flush === undefined || replication === undefined ? null : { flush, replication }
}

function messageType(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || !('type' in message)) return undefined
  return typeof message.type === 'string' ? message.type : undefined
}
