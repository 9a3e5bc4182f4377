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
import { Fields, noFields, readLength } from './fields.ts'
import { scanJsonHead } from './json-header.ts'

const HEADER_WORD_BYTES = 4
const BINARY_FIXED_BYTES = 21

const RESPONSE_FLAG = 1
const ONEWAY_FLAG = 2

export const Flag = { RESPONSE: RESPONSE_FLAG, ONEWAY: ONEWAY_FLAG } as const

const noBody = Buffer.alloc(0)

export class RemotingCommand {
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

  constructor(parts: {
    readonly form: SerializeType
    readonly code: number
    readonly language: number
    readonly version: number
    readonly opaque: number
    readonly flag: number
    readonly remark: string | undefined
    readonly fields: Fields
    readonly body: Buffer
  }) {
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

/**
 * Reads the frame (without its length word) that lies in `bytes` from `start` to `end`.
 * Throws REMOTING_FRAME_MALFORMED.
 */
export function decodeCommand(bytes: Buffer, start = 0, end: number = bytes.length): RemotingCommand {
  if (end - start < HEADER_WORD_BYTES) throw malformed(`a frame of ${end - start} bytes has no header word`)
  const word = readLength(bytes, start)
  const bodyStart = start + HEADER_WORD_BYTES + (word & 0xffffff)
  if (bodyStart > end) {
    throw malformed(`the header says ${word & 0xffffff} bytes in a frame of ${end - start}`)
  }
  const body = bodyStart === end ? noBody : bytes.subarray(bodyStart, end)
  const type = word >>> 24
  if (type === SerializeType.ROCKETMQ) return decodeBinary(bytes, start + HEADER_WORD_BYTES, bodyStart, body)
  if (type === SerializeType.JSON) return decodeJson(bytes, start + HEADER_WORD_BYTES, bodyStart, body)
  throw malformed(`serialise type ${type} is unknown`)
}

function decodeBinary(bytes: Buffer, start: number, end: number, body: Buffer): RemotingCommand {
  if (end - start < BINARY_FIXED_BYTES) throw malformed('the header is cut off')
  const remarkAt = start + 17
  const remarkBytes = readLength(bytes, start + 13)
  const fieldsAt = remarkAt + remarkBytes
  if (remarkBytes < 0 || fieldsAt + 4 > end) throw malformed(`a remark of ${remarkBytes} bytes`)
  const fieldBytes = readLength(bytes, fieldsAt)
  const fieldsEnd = fieldsAt + 4 + fieldBytes
  if (fieldBytes < 0 || fieldsEnd > end) throw malformed(`extension fields of ${fieldBytes} bytes`)
  return new RemotingCommand({
    form: SerializeType.ROCKETMQ,
    code: readShort(bytes, start),
    language: bytes[start + 2] ?? 0,
    version: readShort(bytes, start + 3),
    opaque: readLength(bytes, start + 5),
    flag: readLength(bytes, start + 9),
    remark: remarkBytes === 0 ? undefined : bytes.toString('utf8', remarkAt, fieldsAt),
    fields: fieldBytes === 0 ? noFields : Fields.ofBytes(bytes, fieldsAt + 4, fieldsEnd),
    body,
  })
}

function readShort(bytes: Buffer, at: number): number {
  return (((bytes[at] ?? 0) << 24) >> 16) | (bytes[at + 1] ?? 0)
}

function decodeJson(bytes: Buffer, start: number, end: number, body: Buffer): RemotingCommand {
  const head = scanJsonHead(bytes, start, end)
  if (head === undefined) return parseUnusual(bytes, start, end, body)
  const { code, language, version, opaque, flag, remark, fieldsStart, fieldsEnd } = head
  return new RemotingCommand({
    form: SerializeType.JSON,
    code,
    language,
    version,
    opaque,
    flag,
    remark,
    fields: fieldsStart === fieldsEnd ? noFields : Fields.ofJson(bytes, fieldsStart, fieldsEnd),
    body,
  })
}

/** A header in JSON form that is not written the usual way. */
function parseUnusual(bytes: Buffer, start: number, end: number, body: Buffer): RemotingCommand {
  const header = parseJson(bytes.toString('utf8', start, end))
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
    body,
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
