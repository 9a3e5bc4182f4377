import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { seededRandom } from '../../src/lib/prng.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { decodeBatch, encodeBatch } from '../../src/message/batch.ts'
import { compressBody, compressionSysFlag, isCompressionSupported, restoreBody } from '../../src/message/compression.ts'
import { decodeOffsetMessageId, encodeOffsetMessageId, uniqueIds } from '../../src/message/message-id.ts'
import { javaHashCode, javaHashCodeOfBytes, tagsCode } from '../../src/message/tags-code.ts'
import {
  dlqTopic,
  groupFault,
  isClosedForSend,
  isSystemTopic,
  retryTopic,
  topicFault,
} from '../../src/message/topic-name.ts'
import { host } from './drafts.ts'

const thrown = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    return errorCode(error)
  }
  return undefined
}

describe('tags code', () => {
  test("is Java's String.hashCode", () => {
    expect(tagsCode('TagA')).toBe(2598919)
    expect(tagsCode('hello world, this is a long tag')).toBe(javaHashCode('hello world, this is a long tag'))
    expect(javaHashCode('polygenelubricants')).toBe(-2147483648)
    expect(tagsCode(undefined)).toBe(0)
  })

  test.prop([fc.string({ unit: 'grapheme' }), fc.string()])(
    'is the same over bytes, and goes on from a prefix',
    (a, b) => {
      const bytes = Buffer.from(a)
      expect(javaHashCodeOfBytes(bytes, 0, bytes.length, javaHashCode(b))).toBe(javaHashCode(b + a))
    },
  )
})

describe('message ids', () => {
  test('an offset id is the one that RocketMQ makes', () => {
    expect(encodeOffsetMessageId(host(127, 0, 0, 1), 0x1234567890)).toBe('7F00000100002A9F0000001234567890')
  })

  test.prop([
    fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 })),
    fc.maxSafeNat(),
  ])('an offset id decodes to what it was made of', (ip, offset) => {
    const id = encodeOffsetMessageId({ ip, port: 1234 }, offset)
    expect(id).toMatch(/^[0-9A-F]+$/)
    const decoded = decodeOffsetMessageId(id)
    expect(Uint8Array.from(decoded.storeHost.ip)).toEqual(Uint8Array.from(ip))
    expect([decoded.storeHost.port, decoded.offset]).toEqual([1234, offset])
  })

  test.prop([fc.string({ maxLength: 60 })])('any other text is refused with a code', (text) => {
    fc.pre(!/^([0-9a-fA-F]{32}|[0-9a-fA-F]{56})$/.test(text))
    expect(thrown(() => decodeOffsetMessageId(text))).toBe('MESSAGE_BAD_ID')
  })

  test('an id whose offset is over 2^53 is refused', () => {
    expect(thrown(() => decodeOffsetMessageId('F'.repeat(32)))).toBe('MESSAGE_BAD_ID')
  })

  test('unique ids are unique, also over the turn of a month', () => {
    let nowMs = new Date(2026, 0, 31, 23, 59, 59, 999).getTime()
    const next = uniqueIds({
      clock: { ...systemClock, nowMs: () => nowMs },
      random: seededRandom(1),
      ip: host(10, 0, 0, 1).ip,
      pid: 70_000,
    })
    const ids = new Set<string>()
    for (let i = 0; i < 10_000; i++) {
      if (i % 100 === 0) nowMs++
      const id = next()
      expect(id).toMatch(/^0A0000011170[0-9A-F]{20}$/)
      ids.add(id)
    }
    expect(ids.size).toBe(10_000)
  })
})

describe('the body of a batch', () => {
  const message = fc.record({
    flag: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    body: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    properties: fc.string({ unit: 'grapheme', maxLength: 30 }),
  })

  test('is the one that RocketMQ makes', () => {
    const batch = encodeBatch([{ flag: 1, body: Buffer.from('ab'), properties: 'c' }])
    expect(batch.toString('hex')).toBe(
      ['00000019', '00000000', '00000000', '00000001', '000000026162', '000163'].join(''),
    )
  })

  test.prop([fc.array(message, { minLength: 1, maxLength: 10 })])('decodes to what it was made of', (messages) => {
    const decoded = decodeBatch(encodeBatch(messages))
    expect(decoded.map((one) => ({ ...one, properties: one.properties.toString() }))).toEqual(messages)
  })

  test.prop([fc.array(message, { minLength: 1, maxLength: 4 }), fc.nat(), fc.integer({ min: 1, max: 255 })])(
    'with a changed byte is refused with a code or still made of whole messages',
    (messages, place, flip) => {
      const bytes = encodeBatch(messages)
      const at = place % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ flip
      const code = thrown(() => decodeBatch(bytes))
      expect([undefined, 'MESSAGE_BAD_BATCH']).toContain(code)
    },
  )

  test('that is empty, or of more messages than allowed, is refused', () => {
    expect(thrown(() => decodeBatch(Buffer.alloc(0)))).toBe('MESSAGE_BAD_BATCH')
    const one = { flag: 0, body: Buffer.from('x'), properties: '' }
    expect(thrown(() => decodeBatch(encodeBatch([one, one, one]), undefined, 2))).toBe('MESSAGE_BAD_BATCH')
  })
})

describe('compression', () => {
  const text = Buffer.from('the same again and '.repeat(1000))

  test.each(['zlib', 'lz4'] as const)('%s restores what it made smaller', (type) => {
    const small = compressBody(text, type)
    expect(small.length).toBeLessThan(text.length / 5)
    expect(restoreBody(small, compressionSysFlag(type), 1_000_000)).toEqual(text)
  })

  test('a body without the bit is left alone', () => {
    expect(restoreBody(text, 0x300, 10)).toBe(text)
  })

  test('clients that set no type mean zlib', () => {
    expect(restoreBody(compressBody(text, 'zlib'), 0x1, 1_000_000)).toEqual(text)
  })

  test('the bits are those of RocketMQ', () => {
    expect(compressionSysFlag('zlib')).toBe(0x301)
    expect(compressionSysFlag('lz4')).toBe(0x101)
    expect(compressionSysFlag('zstd')).toBe(0x201)
  })

  test.each(['zlib', 'lz4'] as const)('a %s body that restores to more than the limit is refused', (type) => {
    const bomb = compressBody(Buffer.alloc(32 * 1024 * 1024), type)
    expect(thrown(() => restoreBody(bomb, compressionSysFlag(type), 1_000_000))).toBe('MESSAGE_BAD_COMPRESSION')
  })

  test.prop([fc.constantFrom('zlib' as const, 'lz4' as const), fc.uint8Array({ minLength: 1, maxLength: 60 })])(
    'random bytes are refused with a code',
    (type, bytes) => {
      const code = thrown(() => restoreBody(Buffer.from(bytes), compressionSysFlag(type), 1000))
      expect([undefined, 'MESSAGE_BAD_COMPRESSION']).toContain(code)
    },
  )

  test('zstd works where Node has it and is refused with a code where not', () => {
    if (isCompressionSupported('zstd')) {
      expect(restoreBody(compressBody(text, 'zstd'), compressionSysFlag('zstd'), 1_000_000)).toEqual(text)
    } else {
      expect(thrown(() => compressBody(text, 'zstd'))).toBe('MESSAGE_COMPRESSION_UNSUPPORTED')
      expect(thrown(() => restoreBody(text, compressionSysFlag('zstd'), 10))).toBe('MESSAGE_COMPRESSION_UNSUPPORTED')
    }
  })

  test('an unknown type is refused', () => {
    expect(thrown(() => restoreBody(text, 0x401, 10))).toBe('MESSAGE_COMPRESSION_UNSUPPORTED')
  })
})

describe('names', () => {
  test('topics are checked as TopicValidator does', () => {
    expect(topicFault('%RETRY%group-1_a|b')).toBeUndefined()
    expect(topicFault('x'.repeat(127))).toBeUndefined()
    expect(topicFault('x'.repeat(128))).toContain('longer than topic max length: 127')
    expect(topicFault(retryTopic('x'.repeat(248)))).toBeUndefined()
    expect(topicFault(dlqTopic('x'.repeat(251)))).toContain('255')
    expect(topicFault('  ')).toBe('The specified topic is blank.')
    expect(topicFault('a.b')).toContain('allowing only ^[%|a-zA-Z0-9_-]+$')
    expect(topicFault('ü')).toContain('illegal')
  })

  test('groups are at most 120 long', () => {
    expect(groupFault('g'.repeat(120))).toBeUndefined()
    expect(groupFault('g'.repeat(121))).toContain('120')
    expect(groupFault('')).toBe('The specified group is blank.')
    expect(groupFault('a b')).toContain('illegal')
  })

  test('system topics are known, and those that clients cannot send to', () => {
    expect(isSystemTopic('rmq_sys_wheel_timer')).toBe(true)
    expect(isSystemTopic('TBW102')).toBe(true)
    expect(isSystemTopic('TopicTest')).toBe(false)
    expect(isClosedForSend('SCHEDULE_TOPIC_XXXX')).toBe(true)
    expect(isClosedForSend('TBW102')).toBe(false)
  })
})
