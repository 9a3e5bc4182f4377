import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import {
  RECORD_BYTES_MIN,
  decodeRecord,
  decodeRecords,
  recordBody,
  recordBodyCrc,
  recordBornTimestampMs,
  recordFault,
  recordFlag,
  recordLength,
  recordOffset,
  recordPreparedTransactionOffset,
  recordProperties,
  recordQueueId,
  recordQueueOffset,
  recordReconsumeTimes,
  recordSize,
  recordStoreTimestampMs,
  recordSysFlag,
  recordTopic,
  writeRecord,
  type RecordDraft,
} from '../../src/message/record.ts'
import { SysFlag } from '../../src/message/sys-flag.ts'
import { anyDraft, draft, host } from './drafts.ts'

const stamp = { queueOffset: 7, offset: 0x1_0000_0002, storeTimestampMs: 1_763_708_400_456 }

function encode(value: RecordDraft): Buffer {
  const bytes = Buffer.alloc(recordLength(value))
  expect(writeRecord(value, bytes, 0, stamp)).toBe(bytes.length)
  return bytes
}

describe('the stored-message record', () => {
  // Put together by hand from RocketMQ MessageExtEncoder.encode, field by field.
  test('an IPv4 V1 record has the bytes that RocketMQ stores', () => {
    const expected = [
      '00000073', // size
      'daa320a7', // magic V1
      '3610a686', // CRC-32 of "hello", top bit clear
      '00000003', // queueId
      '00000009', // flag
      '0000000000000007', // queueOffset
      '0000000100000002', // offset
      '00000000', // sysFlag
      '0000019aa53671fb', // born timestamp
      '7f00000100002a9f', // born host
      '0000019aa5367348', // store timestamp
      '0a01020300002a9f', // store host
      '00000002', // reconsume times
      '0000000000000005', // prepared transaction offset
      '0000000568656c6c6f', // body
      '09546f70696354657374', // topic
      '000a54414753015461674102', // properties
    ].join('')
    const bytes = encode(draft({ flag: 9, reconsumeTimes: 2, preparedTransactionOffset: 5 }))
    expect(bytes.toString('hex')).toBe(expected)
  })

  test('a topic over 127 bytes makes a V2 record with a two-byte length', () => {
    const topic = '%RETRY%'.padEnd(128, 'x')
    const bytes = encode(draft({ topic }))
    expect(bytes.readUInt32BE(4)).toBe(0xdaa320ab)
    expect(bytes.readUInt16BE(88 + 5)).toBe(128)
    expect(decodeRecord(bytes, 0).topic).toBe(topic)
  })

  test('IPv6 hosts take 20 bytes each and set their bits, IPv4 hosts clear them', () => {
    const six = host(...Array.from({ length: 16 }, (_, i) => i))
    const bytes = encode(draft({ bornHost: six, storeHost: six, sysFlag: SysFlag.compressed }))
    expect(recordSysFlag(bytes, 0)).toBe(SysFlag.compressed | SysFlag.bornHostV6 | SysFlag.storeHostV6)
    expect(bytes.length).toBe(encode(draft()).length + 24)
    expect(decodeRecord(bytes, 0).bornHost.ip.length).toBe(16)
    expect(recordSysFlag(encode(draft({ sysFlag: SysFlag.bornHostV6 | SysFlag.storeHostV6 })), 0)).toBe(0)
  })

  test.prop([anyDraft])('what is written is what is decoded', (value) => {
    const message = decodeRecord(encode(value), 0)
    const { sysFlag, bornHost, storeHost, body, properties, ...rest } = message
    const hosts = SysFlag.bornHostV6 | SysFlag.storeHostV6
    expect(sysFlag & ~hosts).toBe(value.sysFlag & ~hosts)
    expect([Buffer.from(bornHost.ip), bornHost.port]).toEqual([Buffer.from(value.bornHost.ip), value.bornHost.port])
    expect([Buffer.from(storeHost.ip), storeHost.port]).toEqual([Buffer.from(value.storeHost.ip), value.storeHost.port])
    expect(body).toEqual(value.body)
    expect(properties).toEqual(value.properties)
    const { topic, queueId, flag, bornTimestampMs, reconsumeTimes, preparedTransactionOffset } = value
    expect(rest).toMatchObject({
      topic,
      queueId,
      flag,
      bornTimestampMs,
      reconsumeTimes,
      preparedTransactionOffset,
      ...stamp,
    })
  })

  test.prop([anyDraft, fc.nat(50)])(
    'fields read in place are those of the decoded message, wherever it lies',
    (value, at) => {
      const bytes = Buffer.concat([Buffer.alloc(at, 0xee), encode(value), Buffer.alloc(9, 0xdd)])
      const message = decodeRecord(bytes, at)
      expect(recordSize(bytes, at)).toBe(message.size)
      expect(recordBodyCrc(bytes, at)).toBe(message.bodyCrc)
      expect(recordQueueId(bytes, at)).toBe(message.queueId)
      expect(recordFlag(bytes, at)).toBe(message.flag)
      expect(recordQueueOffset(bytes, at)).toBe(message.queueOffset)
      expect(recordOffset(bytes, at)).toBe(message.offset)
      expect(recordSysFlag(bytes, at)).toBe(message.sysFlag)
      expect(recordBornTimestampMs(bytes, at)).toBe(message.bornTimestampMs)
      expect(recordStoreTimestampMs(bytes, at)).toBe(message.storeTimestampMs)
      expect(recordReconsumeTimes(bytes, at)).toBe(message.reconsumeTimes)
      expect(recordPreparedTransactionOffset(bytes, at)).toBe(message.preparedTransactionOffset)
      expect(recordBody(bytes, at)).toEqual(message.body)
      expect(recordTopic(bytes, at)).toBe(message.topic)
      expect(recordProperties(bytes, at)).toEqual(message.properties)
    },
  )

  test.prop([fc.array(anyDraft, { maxLength: 5 })])('records back to back decode in order', (drafts) => {
    const messages = decodeRecords(Buffer.concat(drafts.map(encode)))
    expect(messages.map((message) => message.topic)).toEqual(drafts.map((value) => value.topic))
  })

  test.prop([anyDraft, fc.nat(), fc.integer({ min: 1, max: 255 })])(
    'a byte that changed is refused with a code, or changes only its own field, and never reads beyond the bytes',
    (value, place, flip) => {
      const bytes = encode(value)
      const at = place % bytes.length
      bytes[at] = (bytes[at] ?? 0) ^ flip
      try {
        expect(decodeRecord(bytes, 0).size).toBe(bytes.length)
      } catch (error) {
        expect(errorCode(error)).toBe('MESSAGE_BAD_RECORD')
      }
    },
  )

  test.prop([fc.uint8Array({ maxLength: 400 })])('random bytes are refused with a code', (random) => {
    const bytes = Buffer.from(random)
    expect(recordFault(bytes, 0, bytes.length)).toBeTypeOf('string')
  })

  test.prop([anyDraft, fc.nat()])('a record that is cut off is refused', (value, cut) => {
    const bytes = encode(value)
    const kept = bytes.subarray(0, cut % bytes.length)
    expect(recordFault(kept, 0, kept.length)).toBeTypeOf('string')
  })

  test('a body that changed is refused by its checksum', () => {
    const bytes = encode(draft())
    const body = recordBody(bytes, 0)
    body[0] = 0x48
    expect(recordFault(bytes, 0, bytes.length)).toBeUndefined()
    expect(recordFault(bytes, 0, bytes.length, true)).toBe('body checksum')
  })

  test('the smallest record is as long as is said', () => {
    const smallest = draft({ topic: '', body: Buffer.alloc(0), properties: Buffer.alloc(0) })
    expect(recordLength(smallest)).toBe(RECORD_BYTES_MIN)
    expect(recordFault(encode(smallest), 0, RECORD_BYTES_MIN)).toBeUndefined()
  })

  test('a number over 2^53 is refused, not rounded', () => {
    const bytes = encode(draft())
    bytes.writeBigInt64BE(2n ** 60n, 28)
    expect(recordFault(bytes, 0, bytes.length)).toBe('offset is no safe integer')
  })
})
