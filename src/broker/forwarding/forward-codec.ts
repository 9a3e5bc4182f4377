/** A client's request and its answer, as they travel between a follower and its leader. */
import { Fields, type HeaderRecord } from '../../remoting/fields.ts'
import { RemotingCommand } from '../../remoting/command.ts'
import { ResponseCode, SerializeType } from '../../remoting/codes.ts'
import type { Body } from '../../remoting/frame-writer.ts'
import type { Call, Reply } from '../../remoting/route.ts'
import { peerErrors } from '../peers/peer-errors.ts'
import type { ServiceAnswer } from '../peers/peer-link.ts'
import { fromPeer } from '../peers/peer-wire.ts'
import { isPursued } from '../processors/where.ts'

/** The request's head and whose it is; its body is the payload. */
export interface ForwardedHead {
  readonly code: number
  readonly language: number
  readonly version: number
  readonly oneway: boolean
  readonly fields: Readonly<Record<string, string>>
  /** Address of the client: the message's born host. */
  readonly remoteHost: string
  readonly remotePort: number
}

interface AnswerHead {
  readonly code: number
  readonly remark: string | undefined
  readonly header: HeaderRecord | undefined
}

export function encodeForward(call: Call): { readonly meta: ForwardedHead; readonly payload: readonly Buffer[] } {
  const { remoteHost, remotePort } = call.connection
  const { code, language, version } = call
  const oneway = call.oneway && !isPursued(code)
  const fields = call.fields.toRecord()
  return {
    meta: { code, language, version, oneway, fields, remoteHost, remotePort },
    payload: call.body.length === 0 ? [] : [call.body],
  }
}

/** Head and command of a forwarded request. Throws `PEER_BAD_FRAME` for what no peer of this format sends. */
export function readForward(
  meta: unknown,
  body: Buffer,
): { readonly head: ForwardedHead; readonly command: RemotingCommand } {
  if (typeof meta !== 'object' || meta === null || !('code' in meta) || !('fields' in meta)) {
    throw peerErrors.create('PEER_BAD_FRAME', 'a forwarded request has no head')
  }
  const head = fromPeer<ForwardedHead>(meta)
  const command = new RemotingCommand({
    form: SerializeType.JSON,
    code: head.code,
    language: head.language,
    version: head.version,
    opaque: 0,
    flag: 0,
    remark: undefined,
    fields: Fields.ofRecord(head.fields),
    body,
  })
  return { head, command }
}

export function encodeForwardAnswer(reply: Reply): { readonly meta: AnswerHead; readonly payload: readonly Buffer[] } {
  const { code, remark, header } = reply
  return { meta: { code, remark, header }, payload: partsOf(reply.body) }
}

/** The leader's reply; 'notLeader' when it certainly did nothing because it does not lead. */
export function readForwardAnswer(answer: ServiceAnswer): Reply | 'notLeader' {
  const head = fromPeer<AnswerHead>(answer.meta)
  if (head.code === ResponseCode.SERVICE_NOT_AVAILABLE) return 'notLeader'
  const { code, remark, header } = head
  return { code, remark: remark ?? undefined, header: header ?? undefined, body: answer.payload }
}

function partsOf(body: Body | undefined): readonly Buffer[] {
  if (body === undefined) return []
  return Buffer.isBuffer(body) ? [body] : body
}
