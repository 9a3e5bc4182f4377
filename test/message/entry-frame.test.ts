import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import {
  FRAME_HEADER_BYTES,
  FrameKind,
  type FramePlace,
  entryLength,
  frameCommand,
  frameCrc,
  frameEndsSegment,
  frameFault,
  frameIndex,
  frameKind,
  frameLength,
  frameOffset,
  framePreviousCrc,
  frameRecordCount,
  frameRecordsStart,
  frameTerm,
  frameTimestampMs,
  placeFault,
  writeEntry,
  writePlainEntry,
} from '../../src/message/entry-frame.ts'
import { type RecordDraft, decodeRecord, recordOffset, recordSize } from '../../src/message/record.ts'

const safe = fc.maxSafeNat()
const place: fc.Arbitrary<FramePlace> = fc.record({
  index: safe,
  term: safe,
  offset: fc.nat(2 ** 50),
  timestampMs: safe,
  previousCrc: fc.nat(0xffffffff),
  endsSegment: fc.boolean(),
})
const bytes = (max: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength: max }).map((array) => Buffer.from(array))
const host = fc.record({
  ip: fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
  port: fc.nat(65535),
})
const record: fc.Arbitrary<RecordDraft> = fc.record({
  topic: fc.stringMatching(/^[a-zA-Z0-9_-]{1,140}$/),
  queueId: fc.nat(100),
  flag: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  sysFlag: fc.constant(0),
  bornTimestampMs: fc.nat(2 ** 45),
  bornHost: host,
  storeHost: host,
  reconsumeTimes: fc.nat(16),
  preparedTransactionOffset: fc.nat(2 ** 45),
  body: bytes(300),
  properties: bytes(50),
})

function frameOf(
  records: readonly RecordDraft[],
  command: Buffer | undefined,
  at: FramePlace,
): { frame: Buffer; offsets: number[] } {
  const draft = { records, queueOffsets: records.map((_, i) => i * 7), command }
  const length = entryLength(draft)
  const frame = Buffer.alloc(length)
  return { frame, offsets: writeEntry(draft, frame, 0, length, at) }
}

describe('the frame of an entry', () => {
  test.prop([fc.array(record, { maxLength: 5 }), fc.option(bytes(100), { nil: undefined }), place])(
    'says what was put in',
    (records, command, at) => {
      const { frame, offsets } = frameOf(records, command, at)
      expect(frameFault(frame, 0, frame.length)).toBeUndefined()
      expect(frameLength(frame, 0)).toBe(frame.length)
      expect(frameKind(frame, 0)).toBe(FrameKind.data)
      expect(frameEndsSegment(frame, 0)).toBe(at.endsSegment)
      expect(frameIndex(frame, 0)).toBe(at.index)
      expect(frameTerm(frame, 0)).toBe(at.term)
      expect(frameOffset(frame, 0)).toBe(at.offset)
      expect(frameTimestampMs(frame, 0)).toBe(at.timestampMs)
      expect(framePreviousCrc(frame, 0)).toBe(at.previousCrc)
      expect(frameRecordCount(frame, 0)).toBe(records.length)
      expect(frameCommand(frame, 0)).toEqual(command === undefined || command.length === 0 ? undefined : command)
      let next = frameRecordsStart(frame, 0)
      for (const [i, draft] of records.entries()) {
        expect(offsets[i]).toBe(at.offset + next)
        expect(recordOffset(frame, next)).toBe(offsets[i])
        const message = decodeRecord(frame, next)
        expect(message.body).toEqual(draft.body)
        expect(message.queueOffset).toBe(i * 7)
        expect(message.storeTimestampMs).toBe(at.timestampMs)
        next += recordSize(frame, next)
      }
      expect(next).toBe(frame.length)
    },
  )

  test.prop([fc.array(record, { maxLength: 2 }), place, fc.nat(), fc.nat(7)])(
    'shows every flipped bit',
    (records, at, where, bit) => {
      const { frame } = frameOf(records, Buffer.from('command'), at)
      const byte = where % frame.length
      frame[byte] = (frame[byte] ?? 0) ^ (1 << bit)
      expect(frameFault(frame, 0, frame.length)).toBeDefined()
    },
  )

  test.prop([fc.array(record, { maxLength: 2 }), place, fc.nat()])('shows that it is cut', (records, at, where) => {
    const { frame } = frameOf(records, undefined, at)
    expect(frameFault(frame, 0, where % frame.length)).toBeDefined()
  })

  test.prop([bytes(200)])('is not seen in other bytes', (noise) => {
    expect(frameFault(noise, 0, noise.length)).toBeDefined()
  })

  test.prop([place, place])('fits its own place only', (one, other) => {
    const frame = Buffer.alloc(FRAME_HEADER_BYTES)
    writePlainEntry(FrameKind.empty, undefined, frame, 0, one)
    expect(frameKind(frame, 0)).toBe(FrameKind.empty)
    expect(placeFault(frame, 0, { ...one, minTerm: one.term })).toBeUndefined()
    expect(placeFault(frame, 0, { ...one, minTerm: 0, previousCrc: undefined })).toBeUndefined()
    if (other.index !== one.index)
      expect(placeFault(frame, 0, { ...one, minTerm: 0, index: other.index })).toMatch('index')
    if (other.offset !== one.offset)
      expect(placeFault(frame, 0, { ...one, minTerm: 0, offset: other.offset })).toMatch('offset')
    expect(placeFault(frame, 0, { ...one, minTerm: one.term + 1 })).toMatch('term')
    const crc = (one.previousCrc + 1) >>> 0
    expect(placeFault(frame, 0, { ...one, minTerm: 0, previousCrc: crc })).toBe('chain')
  })

  test('of an unknown version or kind is refused though its checksum is right', async () => {
    const { crc32 } = await import('node:zlib')
    const at = { index: 1, term: 1, offset: 0, timestampMs: 1, previousCrc: 0, endsSegment: false }
    for (const [byte, value] of [
      [12, 9],
      [13, 2],
      [52, 1],
    ] as const) {
      const frame = Buffer.alloc(FRAME_HEADER_BYTES)
      writePlainEntry(FrameKind.empty, undefined, frame, 0, at)
      frame[byte] = value
      frame.writeUInt32BE(crc32(frame.subarray(8)), 4)
      expect(frameFault(frame, 0, frame.length)).toBeDefined()
    }
  })

  test('is chained by the checksum that covers all of it', () => {
    const at = { index: 1, term: 1, offset: 0, timestampMs: 1, previousCrc: 0, endsSegment: false }
    const { frame: one } = frameOf([], Buffer.from('one'), at)
    const { frame: two } = frameOf([], Buffer.from('two'), at)
    expect(frameCrc(one, 0)).not.toBe(frameCrc(two, 0))
  })
})
