/** Reads the answer to a send: a few fields out of its header, without making a table of all of them. */
import type { RemotingCommand } from '../../remoting/command.ts'
import { readLength } from '../../remoting/fields.ts'

export interface SendAnswer {
  /** A ResponseCode. */
  readonly code: number
  readonly remark: string | undefined
  /** The broker's id of the message (store host and offset in hex); a comma list for a batch. */
  readonly offsetMessageId: string
  readonly queueId: number
  /** NaN when the answer does not say. */
  readonly queueOffset: number
  /** Of a message that waits for a time of its own. */
  readonly recallHandle: string | undefined
}

/**
 * ROCKETMQ form: repeated `[2 key length][key][4 value length][value]`, already checked to be whole. Keys are told apart
 * by length and first letter: msgId (5), queueId (7), queueOffset (11), recallHandle (12).
 */
export function readSendAnswer(answer: RemotingCommand): SendAnswer {
  const { fields, code, remark } = answer
  // A stock broker answers in JSON, whatever it was asked in.
  if (fields.form !== 'binary') {
    return {
      code,
      remark,
      offsetMessageId: fields.get('msgId') ?? '',
      queueId: Number(fields.get('queueId') ?? Number.NaN),
      queueOffset: Number(fields.get('queueOffset') ?? Number.NaN),
      recallHandle: fields.get('recallHandle'),
    }
  }
  const { bytes, start, end } = fields
  let offsetMessageId = ''
  let queueId = Number.NaN
  let queueOffset = Number.NaN
  let recallHandle: string | undefined
  for (let at = start; at < end; ) {
    const keyLength = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
    const first = bytes[at + 2]
    const valueAt = at + 2 + keyLength + 4
    const valueEnd = valueAt + readLength(bytes, valueAt - 4)
    if (keyLength === 5 && first === 0x6d) offsetMessageId = bytes.toString('latin1', valueAt, valueEnd)
    else if (keyLength === 7 && first === 0x71) queueId = digits(bytes, valueAt, valueEnd)
    else if (keyLength === 11 && first === 0x71) queueOffset = digits(bytes, valueAt, valueEnd)
    else if (keyLength === 12 && first === 0x72) recallHandle = bytes.toString('latin1', valueAt, valueEnd)
    at = valueEnd
  }
  return { code, remark, offsetMessageId, queueId, queueOffset, recallHandle }
}

function digits(bytes: Buffer, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - 0x30
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  return end > start ? value : Number.NaN
}
