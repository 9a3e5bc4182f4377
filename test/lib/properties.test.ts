import { describe, expect } from 'vitest'
import { fc, test } from '@fast-check/vitest'
import { formatProperties, override, parseProperties } from '../../src/lib/properties.ts'

describe('a .properties text', () => {
  test('keeps the line of every key, through comments, blank lines and continued lines', () => {
    const text = '# head\n\nlistenPort = 10911\n! note\nnamesrvAddr=a:1;\\\n   b:2\nbrokerName : x\n'
    expect(parseProperties(text, 'f').entries).toEqual([
      { key: 'listenPort', value: '10911', line: 3 },
      { key: 'namesrvAddr', value: 'a:1;b:2', line: 5 },
      { key: 'brokerName', value: 'x', line: 7 },
    ])
  })

  test('names a key twice and means the last one, as Java does', () => {
    expect(parseProperties('a=1\nb=2\na=3', 'f').entries).toEqual([
      { key: 'b', value: '2', line: 2 },
      { key: 'a', value: '3', line: 3 },
    ])
  })

  test('loses white space after a value, of which Java would make an unreadable number', () => {
    expect(parseProperties('listenPort=1 \t', 'f').entries[0]?.value).toBe('1')
  })

  test('lets the command line win', () => {
    const entries = override(parseProperties('a=1\nb=2', 'f'), 'a', '9').entries
    expect(entries).toEqual([
      { key: 'b', value: '2', line: 2 },
      { key: 'a', value: '9', line: 0 },
    ])
  })

  const plain = fc.string({ unit: 'binary' }).map((text) => text.trim())
  test.prop([
    fc.uniqueArray(
      fc.tuple(
        plain.filter((key) => key !== ''),
        plain,
      ),
      { selector: ([key]) => key },
    ),
  ])('is read as it was written, whatever the keys and values', (pairs) => {
    const read = parseProperties(formatProperties(pairs, 'made by a test'), 'f').entries
    expect(read.map(({ key, value }) => [key, value])).toEqual(pairs)
  })
})
