import { parseJson } from '../support/json.ts'

/** A frame as it was seen, decoded by rules of its own so that the golden files do not lean on the code they test. */
export interface SeenFrame {
  readonly serialize: 'json' | 'rocketmq'
  readonly code: number
  readonly language: string | number
  readonly version: number
  readonly opaque: number
  readonly flag: number
  readonly remark: string | null
  readonly extFields: Readonly<Record<string, string>> | null
  readonly body: Buffer
}

/** The text at `at`, which a length of two or four bytes precedes, and where it ends. */
function textAt(header: Buffer, at: number, lengthBytes: 2 | 4): { text: string; end: number } {
  const begin = at + lengthBytes
  const end = begin + (lengthBytes === 2 ? header.readUInt16BE(at) : header.readUInt32BE(at))
  return { text: header.toString('utf8', begin, end), end }
}

function decodeBinary(header: Buffer): Omit<SeenFrame, 'serialize' | 'body'> {
  const { text: remark, end: fields } = textAt(header, 13, 4)
  const end = fields + 4 + header.readUInt32BE(fields)
  const extFields: Record<string, string> = {}
  for (let at = fields + 4; at < end; ) {
    const key = textAt(header, at, 2)
    const value = textAt(header, key.end, 4)
    extFields[key.text] = value.text
    at = value.end
  }
  return {
    code: header.readInt16BE(0),
    language: header.readUInt8(2),
    version: header.readInt16BE(3),
    opaque: header.readInt32BE(5),
    flag: header.readInt32BE(9),
    remark: remark === '' ? null : remark,
    extFields,
  }
}

/** Decodes one whole frame, its length word included. */
export function decodeFrame(frame: Buffer): SeenFrame {
  const word = frame.readUInt32BE(4)
  const end = 8 + (word & 0xffffff)
  const header = frame.subarray(8, end)
  const body = frame.subarray(end)
  if (word >>> 24 === 1) return { serialize: 'rocketmq', body, ...decodeBinary(header) }
  // What RemotingCommand writes as its JSON header.
  const parsed = parseJson<Partial<SeenFrame>>(header.toString())
  return {
    serialize: 'json',
    code: parsed.code ?? 0,
    language: parsed.language ?? '',
    version: parsed.version ?? 0,
    opaque: parsed.opaque ?? 0,
    flag: parsed.flag ?? 0,
    remark: parsed.remark ?? null,
    extFields: parsed.extFields ?? null,
    body,
  }
}

/** Cuts a byte stream into frames; hands each on with its length word. */
export function frameCutter(take: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0)
      take(Buffer.from(rest.subarray(0, end)))
      rest = rest.subarray(end)
    }
  }
}
