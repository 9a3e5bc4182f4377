import { fc, it } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { errorCode, errorMessage } from '../../src/lib/errors.ts'
import { SerializeType } from '../../src/remoting/codes.ts'
import { decodeCommand } from '../../src/remoting/command.ts'
import { Fields, type HeaderRecord } from '../../src/remoting/fields.ts'
import { encodeFrame } from '../../src/remoting/frame-writer.ts'
import {
  boolean,
  defineHeader,
  double,
  EmptyHeader,
  type HeaderOf,
  int,
  long,
  string,
  text,
} from '../../src/remoting/header.ts'
import { PullMessageRequestHeader } from '../../src/remoting/headers/pull.ts'
import { SendMessageRequestHeader } from '../../src/remoting/headers/send.ts'

const Sample = defineHeader({
  name: string.required('a'),
  words: text.optional('b'),
  count: int.required('c'),
  offset: long.optional('d'),
  open: boolean.optional('e'),
  ratio: double.optional('f'),
})
type Sample = HeaderOf<typeof Sample.fields>

function sent(header: HeaderRecord, form: SerializeType): Fields {
  const head = { form, code: 1, language: 0, version: 0, opaque: 0, flag: 0 }
  return decodeCommand(encodeFrame(head, { header }), 4).fields
}

const sample = fc.record<Sample>({
  name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 }),
  words: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
  count: fc.integer({ min: -2147483648, max: 2147483647 }),
  offset: fc.option(fc.maxSafeInteger(), { nil: undefined }),
  open: fc.option(fc.boolean(), { nil: undefined }),
  ratio: fc.option(
    fc.double({ noNaN: true }).map((number) => (number === 0 ? 0 : number)),
    { nil: undefined },
  ),
})

describe('a header', () => {
  it.prop([sample, fc.constantFrom(SerializeType.JSON, SerializeType.ROCKETMQ)])(
    'is what was sent, under long names and under short ones, in both forms',
    (header, form) => {
      expect(Sample.decode(sent(Sample.encode(header), form))).toEqual(header)
      expect(Sample.short.decode(sent(Sample.short.encode(header), form))).toEqual(header)
    },
  )

  it.prop([fc.shuffledSubarray(Object.keys(PullMessageRequestHeader.fields)), fc.array(fc.string({ minLength: 1 }))])(
    'is found whatever the order of its fields and whatever stands between them',
    (names, others) => {
      const required = Object.entries(PullMessageRequestHeader.fields).filter(([, field]) => field.required)
      const fields: Record<string, string> = {}
      for (const [i, name] of [...names, ...required.map(([name]) => name)].entries()) {
        const other = others[i]
        if (other !== undefined && !(other in PullMessageRequestHeader.fields) && !(other in {})) fields[other] = '1'
        fields[name] = '7'
      }
      const fromBytes = PullMessageRequestHeader.decode(sent(fields, SerializeType.ROCKETMQ))
      expect(fromBytes).toEqual(PullMessageRequestHeader.decode(Fields.ofRecord(fields)))
      expect(fromBytes.queueOffset).toBe(7)
    },
  )

  test('keeps nothing of the one decoded before', () => {
    for (const form of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      Sample.decode(sent({ name: 'a', words: 'w', count: 1, offset: 2, open: true, ratio: 0.5 }, form))
      expect(Sample.decode(sent({ name: 'b', count: 2 }, form))).toEqual({ name: 'b', count: 2 })
    }
  })

  test('is read as it is when its texts are beginnings of others that came before', () => {
    for (const name of ['abcdef', 'abc', 'abcd', 'b', 'abcdef', 'abcdeg']) {
      expect(Sample.decode(sent({ name, count: 1 }, SerializeType.ROCKETMQ)).name).toBe(name)
    }
  })

  test('that repeats a field has the last one', () => {
    const bytes = Buffer.concat([once('name', 'x'), once('count', '1'), once('count', '2')])
    expect(Sample.decode(Fields.ofBytes(bytes, 0, bytes.length)).count).toBe(2)
  })

  test('of SEND_MESSAGE_V2 has the letters that stock clients send', () => {
    const names = Object.entries(SendMessageRequestHeader.fields).map(([name, field]) => `${field.short} ${name}`)
    expect(names.sort()).toEqual([
      'a producerGroup',
      'b topic',
      'c defaultTopic',
      'd defaultTopicQueueNums',
      'e queueId',
      'f sysFlag',
      'g bornTimestamp',
      'h flag',
      'i properties',
      'j reconsumeTimes',
      'k unitMode',
      'l maxReconsumeTimes',
      'm batch',
      'n brokerName',
    ])
  })

  test('without fields takes whatever comes', () => {
    expect(EmptyHeader.decode(Fields.ofRecord({ a: '1' }))).toEqual({})
  })

  test.for([
    ['true', true],
    ['TRUE', true],
    ['True', true],
    ['false', false],
    ['yes', false],
    ['1', false],
    ['truth', false],
  ] as const)('reads the boolean %s as Java does', ([word, expected]) => {
    for (const form of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      expect(Sample.decode(sent({ name: 'n', count: 1, open: word }, form)).open).toBe(expected)
    }
  })

  test.for([
    ['9223372036854775807', Number.MAX_SAFE_INTEGER],
    ['-9223372036854775808', Number.MIN_SAFE_INTEGER],
    ['9007199254740993', Number.MAX_SAFE_INTEGER],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['+5', 5],
    ['-5', -5],
    ['0000000000000000005', 5],
  ] as const)('reads the long %s, saturated where a double does not hold it', ([word, expected]) => {
    for (const form of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      expect(Sample.decode(sent({ name: 'n', count: 1, offset: word }, form)).offset).toBe(expected)
    }
  })

  test.for([
    ['name', undefined, 'the custom field <name> is null'],
    ['count', undefined, 'the custom field <count> is null'],
    ['count', '2147483648', 'the custom field <count> is not a 32-bit integer: 2147483648'],
    ['count', '1.5', 'the custom field <count> is not a 32-bit integer: 1.5'],
    ['count', '0x10', 'the custom field <count> is not a 32-bit integer: 0x10'],
    ['count', ' 1', 'the custom field <count> is not a 32-bit integer:  1'],
    ['count', '-', 'the custom field <count> is not a 32-bit integer: -'],
    ['offset', '9223372036854775808', 'the custom field <offset> is not a 64-bit integer: 9223372036854775808'],
    ['offset', '1e3', 'the custom field <offset> is not a 64-bit integer: 1e3'],
    ['ratio', 'half', 'the custom field <ratio> is not a number: half'],
  ] as const)('is refused when %s is %s', ([name, value, message]) => {
    for (const form of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      const fields = sent({ name: 'n', count: 1, [name]: value }, form)
      const thrown = errorOf(() => Sample.decode(fields))
      expect([errorCode(thrown), errorMessage(thrown)]).toEqual(['REMOTING_HEADER_INVALID', message])
    }
  })
})

/** A field as it lies in the ROCKETMQ form. */
function once(name: string, value: string): Buffer {
  const lengths = Buffer.alloc(6)
  lengths.writeUInt16BE(name.length)
  lengths.writeUInt32BE(value.length, 2)
  return Buffer.concat([lengths.subarray(0, 2), Buffer.from(name), lengths.subarray(2), Buffer.from(value)])
}

function errorOf(run: () => void): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}
