import { describe, expect } from 'vitest'
import { fc, test } from '@fast-check/vitest'
import { errorCode, errorMessage } from '../../src/lib/errors.ts'
import {
  boolean,
  decimal,
  documentOptions,
  formatOptions,
  integer,
  oneOf,
  optional,
  readOptions,
  string,
} from '../../src/lib/options.ts'
import { parseProperties } from '../../src/lib/properties.ts'

const table = {
  count: integer({ default: 5, min: 1, max: 10, doc: 'How many | of them.' }),
  ratio: decimal({ default: 0.5, min: 0, max: 1, doc: 'How much.' }),
  fast: boolean({ default: false, doc: 'Whether.' }),
  mode: oneOf(['sync', 'async'], { default: 'sync', scope: 'group', doc: 'Which.' }),
  name: optional(string({ default: '', pattern: /^[a-z]+$/, allowed: 'small letters', doc: 'Who.' }), 'the host name'),
}

const read = (text: string): unknown => readOptions(table, parseProperties(text, 'broker.conf'))

function problem(text: string): string {
  try {
    read(text)
  } catch (error) {
    expect(errorCode(error)).toBe('OPTIONS_INVALID')
    return errorMessage(error)
  }
  return 'nothing'
}

describe('an option table', () => {
  test('gives the defaults where nothing is said, and an empty value says nothing', () => {
    expect(read('count=\nname=')).toEqual({ count: 5, ratio: 0.5, fast: false, mode: 'sync', name: undefined })
  })

  test('gives what is said, and passes over the keys of others', () => {
    const text = 'count=7\nratio=.25\nfast=TRUE\nmode=async\nname=abc\nother=1\ntoString=2'
    expect(read(text)).toEqual({ count: 7, ratio: 0.25, fast: true, mode: 'async', name: 'abc' })
  })

  test('names file, line, key and what is allowed, for every impossible value at once', () => {
    expect(problem('count=11\n\nratio=x\nfast=yes\nmode=SYNC\nname=A').split('\n')).toEqual([
      'broker.conf:1: count is "11", it must be an integer from 1 to 10',
      'broker.conf:3: ratio is "x", it must be a number from 0 to 1',
      'broker.conf:4: fast is "yes", it must be true or false',
      'broker.conf:5: mode is "SYNC", it must be sync or async',
      'broker.conf:6: name is "A", it must be small letters',
    ])
  })

  test.each(['0', '11', '1.5', '1e1', '0x5', '5 5', 'NaN', '٣', '9'.repeat(400)])(
    'does not take %s for a count',
    (text) => {
      expect(problem(`count=${text}`)).toContain('it must be an integer from 1 to 10')
    },
  )

  test.prop([fc.integer({ min: 1, max: 10 }), fc.boolean(), fc.constantFrom('sync', 'async')])(
    'reads the effective values that it prints',
    (count, fast, mode) => {
      const values = readOptions(table, parseProperties(`count=${count}\nfast=${fast}\nmode=${mode}`, 'f'))
      const printed = formatOptions(table, values).map(([key, value]) => `${key}=${value}`)
      expect(read(printed.join('\n'))).toEqual(values)
    },
  )

  test('is a page of documentation', () => {
    expect(documentOptions(table).split('\n')).toEqual([
      '| key | default | allowed | scope | what it does |',
      '| --- | --- | --- | --- | --- |',
      '| `count` | `5` | an integer from 1 to 10 | process | How many \\| of them. |',
      '| `ratio` | `0.5` | a number from 0 to 1 | process | How much. |',
      '| `fast` | `false` | true or false | process | Whether. |',
      '| `mode` | `sync` | sync or async | group | Which. |',
      '| `name` | the host name | small letters | process | Who. |',
    ])
  })
})
