/** What a pull's or a pop's body says, read by the format's own rules. */

export interface SeenRecord {
  readonly queueId: number
  readonly queueOffset: number
  readonly offset: number
  readonly sysFlag: number
  readonly reconsumeTimes: number
  readonly body: string
  readonly topic: string
  readonly properties: ReadonlyMap<string, string>
}

export function recordsIn(bytes: Buffer): SeenRecord[] {
  const records: SeenRecord[] = []
  for (let at = 0; at + 4 <= bytes.length; at += bytes.readInt32BE(at)) records.push(recordAt(bytes, at))
  return records
}

/** `body@queueOffset`, in the order they came. */
export function told(bytes: Buffer): string {
  return `messages=[${recordsIn(bytes)
    .map(({ body, queueOffset }) => `${body}@${queueOffset}`)
    .join(' ')}]`
}

/** Hosts are of IPv4: both sides are on this machine. */
function recordAt(bytes: Buffer, at: number): SeenRecord {
  const isV2 = bytes.readUInt32BE(at + 4) === 0xdaa320ab
  const bodyEnd = at + 88 + bytes.readInt32BE(at + 84)
  const topicAt = bodyEnd + (isV2 ? 2 : 1)
  const topicEnd = topicAt + (isV2 ? bytes.readUInt16BE(bodyEnd) : bytes.readUInt8(bodyEnd))
  const text = bytes.toString('utf8', topicEnd + 2, topicEnd + 2 + bytes.readUInt16BE(topicEnd))
  const pairs = text.split('\u0002').filter((pair) => pair !== '')
  return {
    queueId: bytes.readInt32BE(at + 12),
    queueOffset: Number(bytes.readBigInt64BE(at + 20)),
    offset: Number(bytes.readBigInt64BE(at + 28)),
    sysFlag: bytes.readInt32BE(at + 36),
    reconsumeTimes: bytes.readInt32BE(at + 72),
    body: bytes.toString('utf8', at + 88, bodyEnd),
    topic: bytes.toString('utf8', topicAt, topicEnd),
    properties: new Map(pairs.map((pair) => split(pair))),
  }
}

function split(pair: string): [name: string, value: string] {
  const at = pair.indexOf('\u0001')
  return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
}
