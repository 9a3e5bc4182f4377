import { fc } from '@fast-check/vitest'
import { encodeProperties } from '../../src/message/properties.ts'
import type { Host, RecordDraft } from '../../src/message/record.ts'

export const host = (...ip: number[]): Host => ({ ip: Uint8Array.from(ip), port: 10911 })

/** A draft with everything set to something plain. */
export function draft(changes: Partial<RecordDraft> = {}): RecordDraft {
  return {
    topic: 'TopicTest',
    queueId: 3,
    flag: 0,
    sysFlag: 0,
    bornTimestampMs: 1_763_708_400_123,
    bornHost: host(127, 0, 0, 1),
    storeHost: host(10, 1, 2, 3),
    reconsumeTimes: 0,
    preparedTransactionOffset: 0,
    body: Buffer.from('hello'),
    properties: encodeProperties([['TAGS', 'TagA']]),
    ...changes,
  }
}

const anyHost: fc.Arbitrary<Host> = fc.record({
  ip: fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
  port: fc.integer({ min: 0, max: 65_535 }),
})

const name = fc.stringMatching(/^[%|a-zA-Z0-9_-]{1,127}$/)
const longName = fc.stringMatching(/^[%|a-zA-Z0-9_-]{128,255}$/)

export const anyProperties = fc
  .array(
    fc.tuple(
      fc.string({ minLength: 1, maxLength: 12 }),
      fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).filter((text) => !text.includes('\u0002')),
    ),
    { maxLength: 6 },
  )
  .map((pairs) => new Map(pairs))

export const anyDraft: fc.Arbitrary<RecordDraft> = fc.record({
  topic: fc.oneof(name, longName),
  queueId: fc.integer({ min: 0, max: 0x7fffffff }),
  flag: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
  sysFlag: fc.integer({ min: 0, max: 0x7ff }),
  bornTimestampMs: fc.integer({ min: -1, max: Number.MAX_SAFE_INTEGER }),
  bornHost: anyHost,
  storeHost: anyHost,
  reconsumeTimes: fc.integer({ min: 0, max: 0x7fffffff }),
  preparedTransactionOffset: fc.maxSafeNat(),
  body: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  properties: anyProperties.map((properties) => encodeProperties(properties)),
})
