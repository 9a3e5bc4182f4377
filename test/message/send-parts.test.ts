import { fc, it } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { decodeBatch, encodeBatch } from '../../src/message/batch.ts'
import {
  decodePartAnswers,
  decodeSendParts,
  encodePartAnswers,
  encodeSendParts,
  type OutgoingPart,
  sendPartLength,
} from '../../src/message/send-parts.ts'

const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((array) => Buffer.from(array))
const queue = fc.record({ queueId: fc.nat() })
const place = { topic: fc.string({ maxLength: 20 }), bornMs: fc.maxSafeNat() }
const single = fc.record({
  ...place,
  isBatch: fc.constant(false),
  flag: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  body: bytes,
  properties: fc.string({ maxLength: 20 }),
})
const member = { flag: 7, body: Buffer.from('b'), properties: 'A\u0001é\u0002' }
const batch = fc.record({
  ...place,
  isBatch: fc.constant(true),
  flag: fc.constant(0),
  body: fc.constant(encodeBatch([member, member])),
  properties: fc.constant(''),
})

function encoded(parts: readonly OutgoingPart[]): Buffer {
  return encodeSendParts(
    parts,
    parts.reduce((sum, part) => sum + sendPartLength(part), 0),
  )
}

function part(topic: string, body: string): OutgoingPart {
  const request = { topic, bornMs: 5, isBatch: false, flag: 0, body: Buffer.from(body), properties: '' }
  return { queue: { queueId: 1 }, request }
}

const isWellFormed = ({ request }: OutgoingPart): boolean =>
  [request.topic, request.properties].every((text) => Buffer.from(text).toString() === text)

describe('the parts of a send to many queues', () => {
  it.prop([fc.array(fc.record({ queue, request: fc.oneof(single, batch) }).filter(isWellFormed), { maxLength: 8 })])(
    'are read as written',
    (parts) => {
      const body = encoded(parts)
      const read = decodeSendParts(body)
      expect(read.map(({ topic, queueId, bornMs }) => ({ topic, queueId, bornMs }))).toEqual(
        parts.map(({ queue: { queueId }, request: { topic, bornMs } }) => ({ topic, queueId, bornMs })),
      )
      for (const [at, { request }] of parts.entries()) {
        const messages = decodeBatch(body, read[at])
        const expected = request.isBatch ? decodeBatch(request.body) : decodeBatch(encodeBatch([request]))
        expect(messages).toEqual(expected)
      }
    },
  )

  const two = encoded([part('T', 'one'), part('U', 'two')])
  const changed = (at: number, ...values: number[]): Buffer => {
    const copy = Buffer.from(two)
    copy.set(values, at)
    return copy
  }

  test.each([
    ['that end in the middle', two.subarray(0, -1)],
    ['that begin with a size below that of any part', changed(0, 0, 0, 0, 17)],
    ['that begin with a negative size', changed(0, 0xff)],
    ['whose topic is longer than the part', changed(16, 0xff, 0xff)],
    ['that were born at no time', changed(8, 0x7f, 0xff)],
    ['of noise', Buffer.from('some text')],
  ])('%s are MESSAGE_BAD_BATCH', (_what, body) => {
    expect(thrown(() => decodeSendParts(body))).toBe('MESSAGE_BAD_BATCH')
  })

  test('that are too many are MESSAGE_BAD_BATCH', () => {
    expect(decodeSendParts(two, 2)).toHaveLength(2)
    expect(thrown(() => decodeSendParts(two, 1))).toBe('MESSAGE_BAD_BATCH')
  })
})

describe('the answers to parts', () => {
  const stored = fc.record({
    code: fc.constantFrom(0, 10, 11, 12),
    queueId: fc.nat(),
    queueOffset: fc.maxSafeNat(),
    offsets: fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 5 }),
  })
  const refused = fc.record({
    code: fc.constantFrom(1, 2, 13, 14, 16, 17, 1500),
    remark: fc.string({ maxLength: 20 }).filter((text) => Buffer.from(text).toString() === text),
  })

  it.prop([fc.array(fc.oneof(stored, refused), { maxLength: 8 })])('are read as written', (answers) => {
    expect(decodePartAnswers(encodePartAnswers(answers), answers.length)).toEqual(answers)
  })

  const body = encodePartAnswers([{ code: 16, remark: 'no' }])

  test.each([
    ['that are too few', body, 2],
    ['that are too many', Buffer.concat([body, body]), 1],
    ['that end in the middle', body.subarray(0, -1), 1],
    ['with a negative length', Buffer.from([0, 0, 0, 16, 0xff, 0xff, 0xff, 0xff]), 1],
  ])('%s are MESSAGE_BAD_BATCH', (_what, bad, count) => {
    expect(thrown(() => decodePartAnswers(bad, count))).toBe('MESSAGE_BAD_BATCH')
  })
})

function thrown(run: () => unknown): string | undefined {
  try {
    run()
  } catch (error) {
    return errorCode(error)
  }
  return undefined
}
