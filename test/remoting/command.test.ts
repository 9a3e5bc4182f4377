import { readFileSync, readdirSync } from 'node:fs'
import { fc, it } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { LanguageCode, SerializeType } from '../../src/remoting/codes.ts'
import { decodeCommand } from '../../src/remoting/command.ts'
import { encodeFrame, type FrameHead, FrameWriter } from '../../src/remoting/frame-writer.ts'
import type { HeaderRecord } from '../../src/remoting/fields.ts'
import { SendMessageRequestHeader } from '../../src/remoting/headers/send.ts'

const int32 = fc.integer({ min: -2147483648, max: 2147483647 })
const int16 = fc.integer({ min: -32768, max: 32767 })
const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
const value = fc.oneof(words, fc.maxSafeInteger(), fc.boolean(), fc.double({ noNaN: true }), fc.constant(undefined))
const header = fc.dictionary(words, value, { maxKeys: 20 })
const head = fc.record({
  form: fc.constantFrom(SerializeType.JSON, SerializeType.ROCKETMQ),
  code: int16,
  language: fc.constantFrom(...Object.values(LanguageCode)),
  version: int16,
  opaque: int32,
  flag: int32,
})
const plain: FrameHead = { form: 1, code: 10, language: 0, version: 479, opaque: 5, flag: 0 }

function texts(record: HeaderRecord): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, one]) => (one === undefined ? [] : [[name, String(one)]])),
  )
}

/** A frame without its length word. */
function jsonFrame(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text)
  const word = Buffer.alloc(4)
  word.writeUInt32BE(bytes.length)
  return Buffer.concat([word, bytes])
}

function attempt<T>(run: () => T): T | Error {
  try {
    return run()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}

function field(value: unknown, name: string): object | undefined {
  const found: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
  return typeof found === 'object' && found !== null ? found : undefined
}

describe('a command', () => {
  it.prop([head, header, fc.option(words, { nil: undefined }), fc.uint8Array({ maxLength: 6000 })])(
    'that was written is read as it was, in both forms',
    (parts, fields, remark, bytes) => {
      const frame = encodeFrame(parts, { header: fields, remark, body: Buffer.from(bytes) })
      expect(frame.readUInt32BE(0)).toBe(frame.length - 4)
      const command = decodeCommand(frame, 4)
      expect(command).toMatchObject({ ...parts, remark: remark === '' ? undefined : remark })
      expect(command.fields.toRecord()).toEqual(texts(fields))
      expect(command.body.equals(Buffer.from(bytes))).toBe(true)
    },
  )

  const anyText = fc.string({
    unit: fc.constantFrom('a', '7', '"', '\\', '\u0001', '\u0002', '\n', 'é', '漢', '\u{1f600}'),
  })
  const sendFields = fc.record(
    {
      a: anyText,
      b: anyText,
      c: anyText,
      d: fc.constantFrom('4', '-1', '', '2147483648', '01', 'x'),
      e: int32.map(String),
      f: int32.map(String),
      g: fc.maxSafeInteger().map(String),
      h: int32.map(String),
      i: anyText,
      k: fc.constantFrom('true', 'TRUE', 'false', ''),
      other: anyText,
    },
    { requiredKeys: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] },
  )

  it.prop([sendFields, int32, fc.option(anyText, { nil: undefined })])(
    'in JSON form without a space, as stock clients write it, is read as JSON.parse reads it',
    (extFields, opaque, remark) => {
      const parts = { code: 310, extFields, flag: 0, language: 'JAVA', opaque, remark, version: 479 }
      const frames = [0, 1].map((space) => jsonFrame(JSON.stringify(parts, undefined, space)))
      const [usual, spaced] = frames.map((frame) => {
        const { form, code, flag, language, version, remark: said, fields, opaque: asked } = decodeCommand(frame)
        const sent = attempt(() => SendMessageRequestHeader.short.decode(fields))
        return { form, code, flag, language, version, said, asked, sent, record: fields.toRecord() }
      })
      expect(usual).toEqual(spaced)
    },
  )

  it.prop([sendFields, fc.nat(), fc.integer({ min: 0, max: 255 })])(
    'in JSON form with a changed byte is refused, or read as JSON.parse reads it',
    (extFields, place, byte) => {
      const text = Buffer.from(JSON.stringify({ code: 310, extFields, opaque: 7, version: 479 }))
      text[place % text.length] = byte
      const parsed = attempt((): unknown => JSON.parse(text.toString()))
      const command = attempt(() => decodeCommand(jsonFrame(text)))
      if (parsed instanceof Error) expect(errorCode(command)).toBe('REMOTING_FRAME_MALFORMED')
      else if (!(command instanceof Error)) expect(command.fields.toRecord()).toEqual({ ...field(parsed, 'extFields') })
    },
  )

  it.prop([
    fc.array(fc.tuple(head, header, fc.array(fc.uint8Array({ maxLength: 9000 }), { maxLength: 3 })), { maxLength: 12 }),
  ])('is whole among others that leave in the same write', (commands) => {
    const writer = new FrameWriter()
    for (const [parts, fields, pieces] of commands) {
      writer.write(
        parts,
        fields,
        undefined,
        pieces.map((piece) => Buffer.from(piece)),
      )
    }
    const bytes = writer.bytes
    const stream = Buffer.concat(writer.take())
    expect(stream.length).toBe(bytes)
    const alone = commands.map(([parts, fields, pieces]) =>
      encodeFrame(parts, { header: fields, body: Buffer.concat(pieces) }),
    )
    expect(stream.equals(Buffer.concat(alone))).toBe(true)
    expect(writer.take()).toEqual([])
  })

  it.prop([
    fc.oneof(
      fc.maxSafeNat(),
      fc.nat({ max: 21 }).map((power) => Math.min(10 ** power, Number.MAX_SAFE_INTEGER)),
    ),
  ])('carries every number as its decimal digits', (number) => {
    const frame = encodeFrame(plain, { header: { number } })
    expect(decodeCommand(frame, 4).fields.get('number')).toBe(String(number))
  })

  test('leaves with its large body as it lies, and with a small one in one piece', () => {
    const writer = new FrameWriter()
    const large = Buffer.alloc(100_000, 'x')
    writer.write(plain, { a: 'b' }, undefined, Buffer.from('small'))
    writer.write(plain, undefined, undefined, [large])
    writer.write(plain, undefined, undefined, Buffer.from('small'))
    const pieces = writer.take()
    expect(pieces).toHaveLength(3)
    expect(pieces[1]).toBe(large)
  })

  test('with many fields may outgrow a block without tearing', () => {
    const fields = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field${i}`, 'v'.repeat(i)]))
    const writer = new FrameWriter()
    writer.write(plain, { before: 1 }, 'first', undefined)
    writer.write(plain, fields, 'second', Buffer.from('body'))
    const pieces = writer.take()
    const first = Buffer.concat(pieces)
    const second = decodeCommand(first, 4 + first.readUInt32BE(0) + 4)
    expect(second.fields.toRecord()).toEqual({ ...fields, field0: undefined })
    expect([second.remark, String(second.body)]).toEqual(['second', 'body'])
  })

  test('of POP, whose number does not fit the ROCKETMQ form, goes in JSON', () => {
    const command = decodeCommand(encodeFrame({ ...plain, code: 200_050 }, { header: { topic: 't' } }), 4)
    expect([command.code, command.form]).toEqual([200_050, SerializeType.JSON])
  })

  test('whose JSON carries numbers, null and nothing is read as fastjson reads it', () => {
    const json = Buffer.from('{"code":105,"extFields":{"queueId":3,"order":true,"gone":null},"opaque":7}')
    const word = Buffer.alloc(4)
    word.writeUInt32BE(json.length)
    const command = decodeCommand(Buffer.concat([word, json]))
    expect(command.fields.toRecord()).toEqual({ queueId: '3', order: 'true' })
    expect(command).toMatchObject({ code: 105, opaque: 7, flag: 0, version: 0, language: LanguageCode.OTHER })
  })

  test('may carry a field of any name', () => {
    for (const form of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
      const names = ['__proto__', 'constructor', 'toString']
      const fields: HeaderRecord = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}')
      const read = decodeCommand(encodeFrame({ ...plain, form }, { header: fields }), 4).fields
      expect(names.map((name) => read.get(name))).toEqual(['a', 'b', 'c'])
      expect(read.get('valueOf')).toBeUndefined()
    }
  })
})

function frameOf(type: number, headerBytes: number, content: Buffer): Buffer {
  const word = Buffer.alloc(4)
  word.writeUInt32BE(((type << 24) | headerBytes) >>> 0)
  return Buffer.concat([word, content])
}

function binary(change: (content: Buffer) => void): Buffer {
  const content = encodeFrame(plain, { header: { topic: 'abc' }, remark: 'hello' }).subarray(8)
  change(content)
  return frameOf(1, content.length, content)
}

describe('a frame that lies', () => {
  test.for<readonly [string, Buffer]>([
    ['with no room for its header word', Buffer.alloc(3)],
    ['about the length of its header', frameOf(0, 100, Buffer.from('{}'))],
    ['with an unknown serialise type', frameOf(2, 2, Buffer.from('{}'))],
    ['with JSON that is none', frameOf(0, 3, Buffer.from('{"a'))],
    ['with JSON that is no object', frameOf(0, 2, Buffer.from('[]'))],
    ['with JSON null', frameOf(0, 4, Buffer.from('null'))],
    ['with a code that is no integer', frameOf(0, 14, Buffer.from('{"code":"ten"}'))],
    ['with an opaque beyond 32 bits', frameOf(0, 21, Buffer.from('{"opaque":4294967296}'))],
    ['with extFields that are no object', frameOf(0, 15, Buffer.from('{"extFields":1}'))],
    ['with a binary header that is cut off', frameOf(1, 20, Buffer.alloc(20))],
    ['about its remark', binary((content) => content.writeInt32BE(1000, 13))],
    ['with a negative remark', binary((content) => content.writeInt32BE(-8, 13))],
    ['about its fields', binary((content) => content.writeInt32BE(1000, 22))],
    ['with negative fields', binary((content) => content.writeInt32BE(-5, 22))],
    ['about the length of a name', binary((content) => content.writeUInt16BE(900, 26))],
    ['about the length of a value', binary((content) => content.writeInt32BE(4, 33))],
    ['with a value of negative length', binary((content) => content.writeInt32BE(-1, 33))],
  ])('%s is refused', ([, frame]) => {
    expect(codeOf(() => decodeCommand(frame))).toBe('REMOTING_FRAME_MALFORMED')
  })

  const folder = new URL('golden/', import.meta.url)
  const goldens = readdirSync(folder).filter((name) => name.endsWith('.bin'))

  it.prop([fc.nat(), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 8 }), fc.nat({ max: 64 })], {
    numRuns: 3000,
  })('in any way is refused with the one error or read without harm', (which, changes, cut) => {
    const file = goldens[which % goldens.length]
    const frame = Buffer.from(readFileSync(new URL(file ?? '', folder)).subarray(4))
    for (const [at, byte] of changes) frame[at % Math.min(frame.length, 300)] = byte
    const code = codeOf(() => {
      const command = decodeCommand(frame.subarray(0, frame.length - Math.min(cut, frame.length)))
      command.fields.entries()
    })
    expect(['REMOTING_FRAME_MALFORMED', undefined]).toContain(code)
  })
})

function codeOf(run: () => void): string | undefined {
  try {
    run()
    return undefined
  } catch (error) {
    return errorCode(error) ?? 'foreign'
  }
}
