/** Everything the client can answer with. Match `error.code`; the texts are for people. */
import { defineErrors, errorCode, errorMessage } from '../../lib/errors.ts'
import type { RaftmqError } from '../../lib/errors.ts'
import { ResponseCode } from '../../remoting/codes.ts'

export const clientErrors = defineErrors({
  CLIENT_OPTION: {
    retriable: false,
    doc: 'There is no such option, or it has an impossible value. The message names it, and what is allowed.',
  },
  CLIENT_STATE: {
    retriable: false,
    doc: 'The call does not fit the state: not started, started twice, or two consumers of one stream.',
  },
  CLIENT_CLOSED: { retriable: false, doc: 'The client was closed. What was in flight when it closed is undecided.' },
  CLIENT_ABORTED: { retriable: false, doc: 'The caller’s AbortSignal fired. A send that was in flight is undecided.' },
  CLIENT_NO_NAMESRV: { retriable: true, doc: 'No name server answered. Check the addresses.' },
  CLIENT_NO_ROUTE: {
    retriable: true,
    doc: 'The topic does not exist and cannot be created on the fly, or no queue of it may be written.',
  },
  CLIENT_NO_LEADER: { retriable: true, doc: 'The broker group has no leader now. Certainly not stored.' },
  CLIENT_CONNECT: { retriable: true, doc: 'No connection could be made. Nothing was sent.' },
  CLIENT_CONNECTION_LOST: { retriable: true, doc: 'The connection broke after the request was written.' },
  CLIENT_TIMEOUT: { retriable: true, doc: 'Time ran out before the request was stored. Certainly not stored.' },
  CLIENT_NO_REPLY: { retriable: true, doc: 'No reply to a request came in time. It may have been handled.' },
  CLIENT_BUSY: { retriable: true, doc: 'The broker is overloaded. Certainly not stored.' },
  CLIENT_OVERLOADED: {
    retriable: true,
    doc: 'Too many sends are in flight in this client. Nothing was sent: wait for some of them.',
  },
  CLIENT_UNDECIDED: {
    retriable: true,
    doc: 'The message may or may not be stored: the answer was lost. Sending it again may store it twice.',
  },
  CLIENT_MESSAGE_ILLEGAL: {
    retriable: false,
    doc: 'The message has a key that there is not, or breaks a limit (topic name, body, properties). Nothing was stored.',
  },
  CLIENT_REFUSED: {
    retriable: false,
    doc: 'The broker refused the request. `cause` carries its `responseCode` and `remark`.',
  },
  CLIENT_PROTOCOL: { retriable: false, doc: 'The answer of a server cannot be understood.' },
  CLIENT_PAYLOAD: {
    retriable: false,
    doc: 'The payload of a message is not what its codec writes or reads. `cause` is what the codec said.',
  },
  CLIENT_QUEUE_LOST: {
    retriable: true,
    doc: 'The queue went to another member of the group while its message was handled in order: it is handled again there.',
  },
  CLIENT_OFFSET_FILE: { retriable: false, doc: 'The local offsets of a broadcast consumer cannot be read or written.' },
})

export type ClientErrorCode = keyof typeof clientErrors.specs
export type ClientError = RaftmqError<ClientErrorCode>

/** What a server answered, as the `cause` of a `CLIENT_REFUSED`. */
export interface BrokerAnswer {
  readonly responseCode: number
  readonly remark: string
}

/** The RocketMQ response code behind an error of this client, or undefined when no server spoke. */
export function responseCodeOf(thrown: unknown): number | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('cause' in thrown)) return undefined
  const cause = thrown.cause
  if (typeof cause !== 'object' || cause === null || !('responseCode' in cause)) return undefined
  return typeof cause.responseCode === 'number' ? cause.responseCode : undefined
}

/** Whether the message behind this failed send may be stored all the same. */
export function mayBeStored(thrown: unknown): boolean {
  const code = errorCode(thrown)
  return code === 'CLIENT_UNDECIDED' || code === 'CLIENT_CLOSED' || code === 'CLIENT_ABORTED'
}

/** What the system says of a connection that was not made, in words. */
const connectWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
}

/** `CLIENT_NO_NAMESRV` for `failure`, the last of the attempts, in one line that says every address once. */
export function noNamesrv(addresses: readonly string[], failure: unknown): ClientError {
  const where = addresses.join(', ')
  if (responseCodeOf(failure) === ResponseCode.REQUEST_CODE_NOT_SUPPORTED) {
    return clientErrors.create('CLIENT_NO_NAMESRV', `${where}: that is not a name server`, failure)
  }
  const raw = errorMessage(failure)
  const word = connectWords[/\bE[A-Z]+(?:_[A-Z]+)?\b/.exec(raw)?.[0] ?? '']
  const why = word ?? raw.replace(/^cannot connect to \S+: /, '')
  return clientErrors.create('CLIENT_NO_NAMESRV', `no name server answers at ${where}: ${why}`, failure)
}

/** `CLIENT_ABORTED` with the signal's reason as cause. */
export function abortedError(signal: AbortSignal): ClientError {
  return clientErrors.create('CLIENT_ABORTED', 'the caller aborted', signal.reason)
}
