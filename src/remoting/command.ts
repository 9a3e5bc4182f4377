/**
 * One remoting command, read from a frame (RocketMQ RemotingCommand, RemotingSerializable, RocketMQSerializable).
 *
 *   [1 serialise type][3 header length H][H bytes header][body]
 *
 *   JSON       {"code":…,"flag":…,"language":"JAVA","opaque":…,"version":…,"remark":…,"extFields":{…}}
 *   ROCKETMQ   [2 code][1 language][2 version][4 opaque][4 flag][4 remark length][remark][4 length][fields]
 *
 * All integers are big-endian. Bodies and ROCKETMQ fields are views of the frame.
 */
import { languageCode, SerializeType } from './codes.ts'
import { remotingErrors } from './errors.ts'
import { Fields, noFields } from './fields.ts'

const HEADER_WORD_BYTES = 4
const BINARY_FIXED_BYTES = 21

const RESPONSE_FLAG = 1
const ONEWAY_FLAG = 2

export const Flag = { RESPONSE: RESPONSE_FLAG, ONEWAY: ONEWAY_FLAG } as const

export interface CommandParts {
  readonly form: SerializeType
  readonly code: number
  readonly language: number
  readonly version: number
  readonly opaque: number
  readonly flag: number
  readonly remark: string | undefined
  readonly fields: Fields
  readonly body: Buffer
}

export class RemotingCommand implements CommandParts {
  /** How its header was written; a reply is written the same way. */
  readonly form: SerializeType
  readonly code: number
  /** A LanguageCode. */
  readonly language: number
  /** Ordinal of RocketMQ MQVersion. */
  readonly version: number
  readonly opaque: number
  readonly flag: number
  readonly remark: string | undefined
  readonly fields: Fields
  /** A view of the frame; empty when there is none. */
  readonly body: Buffer

  constructor(parts: CommandParts) {
    this.form = parts.form
    this.code = parts.code
    this.language = parts.language
    this.version = parts.version
    this.opaque = parts.opaque
    this.flag = parts.flag
    this.remark = parts.remark
    this.fields = parts.fields
    this.body = parts.body
  }

  get isResponse(): boolean {
    return (this.flag & RESPONSE_FLAG) !== 0
  }

  /** No reply must be sent. */
  get isOneway(): boolean {
    return (this.flag & ONEWAY_FLAG) !== 0
  }
}

/** Reads a frame (without its length word). Throws REMOTING_FRAME_MALFORMED. */
export function decodeCommand(frame: Buffer): RemotingCommand {
  if (frame.length < HEADER_WORD_BYTES) throw malformed(`a frame of ${frame.length} bytes has no header word`)
  const word = frame.readUInt32BE(0)
  const bodyStart = HEADER_WORD_BYTES + (word & 0xffffff)
  if (bodyStart > frame.length) {
    throw malformed(`the header says ${bodyStart - HEADER_WORD_BYTES} bytes in a frame of ${frame.length}`)
  }
  const type = word >>> 24
  if (type === SerializeType.ROCKETMQ) return decodeBinary(frame, bodyStart)
  if (type === SerializeType.JSON) return decodeJson(frame, bodyStart)
  throw malformed(`serialise type ${type} is unknown`)
}

function decodeBinary(frame: Buffer, bodyStart: number): RemotingCommand {
  if (bodyStart < HEADER_WORD_BYTES + BINARY_FIXED_BYTES) throw malformed('the header is cut off')
  const remarkBytes = frame.readInt32BE(17)
  const fieldsAt = BINARY_FIXED_BYTES + remarkBytes
  if (remarkBytes < 0 || fieldsAt + 4 > bodyStart) throw malformed(`a remark of ${remarkBytes} bytes`)
  const fieldBytes = frame.readInt32BE(fieldsAt)
  const fieldsEnd = fieldsAt + 4 + fieldBytes
  if (fieldBytes < 0 || fieldsEnd > bodyStart) throw malformed(`extension fields of ${fieldBytes} bytes`)
  return new RemotingCommand({
    form: SerializeType.ROCKETMQ,
    code: frame.readInt16BE(4),
    language: frame.readUInt8(6),
    version: frame.readInt16BE(7),
    opaque: frame.readInt32BE(9),
    flag: frame.readInt32BE(13),
    remark: remarkBytes === 0 ? undefined : frame.toString('utf8', BINARY_FIXED_BYTES, fieldsAt),
    fields: fieldBytes === 0 ? noFields : Fields.ofBytes(frame.subarray(fieldsAt + 4, fieldsEnd)),
    body: frame.subarray(bodyStart),
  })
}

function decodeJson(frame: Buffer, bodyStart: number): RemotingCommand {
  const header = parseJson(frame.toString('utf8', HEADER_WORD_BYTES, bodyStart))
  const language = header['language']
  const remark = header['remark']
  return new RemotingCommand({
    form: SerializeType.JSON,
    code: integerOf(header, 'code'),
    language: languageCode(typeof language === 'string' ? language : 'OTHER'),
    version: integerOf(header, 'version'),
    opaque: integerOf(header, 'opaque'),
    flag: integerOf(header, 'flag'),
    remark: typeof remark === 'string' ? remark : undefined,
    fields: fieldsOf(header['extFields']),
    body: frame.subarray(bodyStart),
  })
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  let header: unknown
  try {
    header = JSON.parse(text)
  } catch (error) {
    throw malformed('the JSON header cannot be parsed', error)
  }
  if (!isRecord(header)) throw malformed('the JSON header is no object')
  return header
}

/** Absent numbers are 0, as fastjson leaves a Java int that it does not find. */
function integerOf(header: Readonly<Record<string, unknown>>, name: string): number {
  const value = header[name]
  if (value === undefined || value === null) return 0
  if (typeof value !== 'number' || (value | 0) !== value) throw malformed(`${name} of the header is no 32-bit integer`)
  return value
}

/** Clients send strings; a number or a boolean is taken for its text, as fastjson takes it. */
function fieldsOf(value: unknown): Fields {
  if (value === undefined || value === null) return noFields
  if (!isRecord(value)) throw malformed('extFields of the header is no object')
  return Fields.ofRecord(isTexts(value) ? value : textsOf(value))
}

function isTexts(value: Readonly<Record<string, unknown>>): value is Readonly<Record<string, string>> {
  for (const name in value) if (typeof value[name] !== 'string') return false
  return true
}

function textsOf(value: Readonly<Record<string, unknown>>): Record<string, string> {
  const texts: [string, string][] = []
  for (const [name, item] of Object.entries(value)) {
    if (item === null || item === undefined) continue
    texts.push([name, typeof item === 'string' ? item : JSON.stringify(item)])
  }
  return Object.fromEntries(texts)
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(message: string, cause?: unknown): Error {
  return remotingErrors.create('REMOTING_FRAME_MALFORMED', message, cause)
}
