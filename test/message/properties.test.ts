import { fc, test } from '@fast-check/vitest'
import { describe, expect } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import {
  PropertyName,
  appendProperty,
  decodeProperties,
  encodeProperties,
  findProperty,
  locateIndexed,
  parseProperties,
  removeProperty,
  replaceProperty,
} from '../../src/message/properties.ts'
import { anyProperties } from './drafts.ts'

const thrown = (run: () => unknown): string | undefined => {
  try {
    run()
  } catch (error) {
    return errorCode(error)
  }
  return undefined
}

/** RocketMQ MessageDecoder.string2messageProperties, line by line. */
function naive(text: string): Map<string, string> {
  const map = new Map<string, string>()
  let index = 0
  while (index < text.length) {
    let newIndex = text.indexOf('\u0002', index)
    if (newIndex < 0) newIndex = text.length
    if (newIndex - index >= 3) {
      const separator = text.indexOf('\u0001', index)
      if (separator > index && separator < newIndex - 1) {
        map.set(text.slice(index, separator), text.slice(separator + 1, newIndex))
      }
    }
    index = newIndex + 1
  }
  return map
}

/** Texts full of separators, broken pairs and well-known names. */
const wild = fc
  .array(fc.constantFrom('\u0001', '\u0002', 'TAGS', 'KEYS', 'UNIQ_KEY', 'a', 'b c', 'é', 'TAGSx', 'XTAGS'), {
    maxLength: 30,
  })
  .map((parts) => parts.join(''))

describe('properties', () => {
  test.prop([anyProperties])('what is encoded is what is decoded', (properties) => {
    expect(decodeProperties(encodeProperties(properties))).toEqual(properties)
  })

  test.prop([wild])('any text is read as RocketMQ reads it', (text) => {
    expect(parseProperties(text)).toEqual(naive(text))
  })

  test.prop([wild, fc.constantFrom('TAGS', 'KEYS', 'UNIQ_KEY', 'a', 'é')])(
    'one property found in the bytes is the one that decoding finds',
    (text, name) => {
      expect(findProperty(Buffer.from(text), name)).toBe(naive(text).get(name))
    },
  )

  test.prop([wild])('what is indexed is found where decoding finds it', (text) => {
    const bytes = Buffer.concat([Buffer.from('..'), Buffer.from(text), Buffer.from('\u0002TAGS\u0001no\u0002')])
    const places = { tags: 9, tagsEnd: 9, keys: 9, keysEnd: 9, uniqueKey: 9, uniqueKeyEnd: 9 }
    locateIndexed(bytes, 2, 2 + Buffer.byteLength(text), places)
    const value = (start: number, end: number): string | undefined =>
      start < 0 ? undefined : bytes.toString('utf8', start, end)
    const expected = naive(text)
    expect(value(places.tags, places.tagsEnd)).toBe(expected.get('TAGS'))
    expect(value(places.keys, places.keysEnd)).toBe(expected.get('KEYS'))
    expect(value(places.uniqueKey, places.uniqueKeyEnd)).toBe(expected.get('UNIQ_KEY'))
  })

  test.prop([wild, fc.constantFrom('TAGS', 'KEYS', 'a')])('replacing sets one and leaves the others', (text, name) => {
    const expected = naive(text).set(name, 'new')
    expect(decodeProperties(replaceProperty(Buffer.from(text), name, 'new'))).toEqual(expected)
  })

  test.prop([wild, fc.constantFrom('TAGS', 'KEYS', 'a')])('removing leaves the others', (text, name) => {
    const expected = naive(text)
    expected.delete(name)
    expect(decodeProperties(removeProperty(Buffer.from(text), name))).toEqual(expected)
  })

  test('removing what is not there gives the same bytes', () => {
    const bytes = encodeProperties([['a', 'b']])
    expect(removeProperty(bytes, 'c')).toBe(bytes)
  })

  test('the string that RocketMQ makes is the one we make', () => {
    expect(
      encodeProperties([
        ['TAGS', 'A'],
        ['KEYS', 'k1 k2'],
      ]).toString(),
    ).toBe('TAGS\u0001A\u0002KEYS\u0001k1 k2\u0002')
  })

  test('separators and empty values are refused', () => {
    for (const [name, value] of [
      ['', 'x'],
      ['a', ''],
      ['a\u0001', 'x'],
      ['a\u0002', 'x'],
      ['a', 'x\u0002'],
    ] as const) {
      expect(thrown(() => encodeProperties([[name, value]]))).toBe('MESSAGE_BAD_PROPERTIES')
    }
  })

  test('32,767 bytes are the most', () => {
    const fitting = encodeProperties([['a', 'x'.repeat(32_764)]])
    expect(fitting.length).toBe(32_767)
    expect(thrown(() => encodeProperties([['a', 'x'.repeat(32_765)]]))).toBe('MESSAGE_BAD_PROPERTIES')
    expect(thrown(() => appendProperty(fitting, 'b', 'y'))).toBe('MESSAGE_BAD_PROPERTIES')
  })

  test('a pair is appended behind a text that lacks its last separator', () => {
    expect(decodeProperties(appendProperty(Buffer.from('a\u0001b'), 'c', 'd'))).toEqual(
      new Map([
        ['a', 'b'],
        ['c', 'd'],
      ]),
    )
  })

  test('names are those of MessageConst', () => {
    expect(PropertyName.FIRST_POP_TIME).toBe('1ST_POP_TIME')
    expect(PropertyName.TRANSACTION_ID).toBe('__transactionId__')
  })
})
