import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXPRESSION_DEPTH_MAX, EXPRESSION_LENGTH_MAX } from '../../src/filter/parser.ts'
import { SqlFilter } from '../../src/filter/sql-filter.ts'
import { errorCode, errorMessage } from '../../src/lib/errors.ts'
import { encodeProperties } from '../../src/message/properties.ts'
import { naive, type Tree, treeOf, written } from './naive.ts'

function matches(text: string, properties: Readonly<Record<string, string>> = {}): boolean {
  const bytes = encodeProperties(Object.entries(properties))
  return SqlFilter.compile(text).matches(bytes, 0, bytes.length)
}

function faultOf(text: string): string {
  try {
    SqlFilter.compile(text)
  } catch (error) {
    expect(errorCode(error)).toBe('FILTER_SYNTAX')
    return errorMessage(error)
  }
  return 'none'
}

describe('a filter', () => {
  test.each([
    ['a = 1', { a: '1' }, true],
    ['a <> 1', { a: '2' }, true],
    ['a >= 5 AND a < 10', { a: '9' }, true],
    ['a BETWEEN 5 AND 10', { a: '10' }, true],
    ['a NOT BETWEEN 5 AND 10', { a: '11' }, true],
    ["a IN ('x', 'it''s')", { a: "it's" }, true],
    ["a NOT IN ('x')", { a: 'y' }, true],
    ['a IS NULL', {}, true],
    ['a IS NOT NULL', { a: 'x' }, true],
    ['a = TRUE', { a: 'tRuE' }, true],
    ["a CONTAINS 'b' AND a STARTSWITH 'a' AND a ENDSWITH 'c'", { a: 'abc' }, true],
    ["a NOT CONTAINS 'z' AND a NOT STARTSWITH 'b' AND a NOT ENDSWITH 'b'", { a: 'abc' }, true],
    ['(a = 1 OR b = 2) AND c = 3', { b: '2', c: '3' }, true],
    ["TAGS = 'A' and KEYS is not null or \"", {}, 'unexpected'],
    ['a between -5 and +5', { a: '-5' }, true],
    ['a = 1 -- a comment\n AND /* another * one */ b = 2', { a: '1', b: '2' }, true],
    ['a > .5e1', { a: '5.25' }, true],
    ['grüße = 1', {}, 'unexpected'],
    ['a = 1', { a: '1', b: 'ö' }, true],
    ["name = 'grüße'", { name: 'grüße' }, true],
  ])('%s on %j: %s', (text, properties, expected) => {
    if (typeof expected === 'string') expect(faultOf(text)).toContain(expected)
    else expect(matches(text, properties)).toBe(expected)
  })

  test.each([
    ['an absent property is unknown, and so is its opposite', 'a > 1 OR NOT (a > 1)', {}, false],
    ['an absent property is not different from a value', 'a <> 1', {}, false],
    ['a value is different from an absent property', "'x' <> a", {}, true],
    ['two absent properties are equal', 'a = b', {}, true],
    ['false decides an AND whatever is unknown', 'NOT (a = 1 AND b = 2)', { b: '3' }, true],
    ['true decides an OR whatever is unknown', 'a = 1 OR b = 2', { b: '2' }, true],
    ['a fraction is no Integer', 'a > 5', { a: '5.5' }, false],
    ['but a fraction is compared with a fraction', 'a > 5.0', { a: '5.5' }, true],
    ['more than 32 bits is no Integer', 'a > 5', { a: '3000000000' }, false],
    ['but is a Long beside a Long', 'a > 2147483648', { a: '3000000000' }, true],
    ['a suffix does not make a Long', 'a > 5L', { a: '3000000000' }, false],
    ['a Long is compared to its last digit', 'a = 9007199254740993', { a: '9007199254740992' }, false],
    ['what is no number matches nothing', 'a > 5 OR NOT (a > 5)', { a: 'x' }, false],
    ['what fails behind the deciding part does not matter', 'b = 1 OR a > 5', { a: 'x', b: '1' }, true],
    ['what fails before it does', 'a > 5 OR b = 1', { a: 'x', b: '1' }, false],
    ['two strings are ordered as numbers', 'a > b', { a: '10', b: ' 9 ' }, true],
    ['minus zero is below zero', 'a < b', { a: '-0.0', b: '0' }, true],
    ['a negated property is unknown', '-a = 1', { a: '-1' }, false],
    ['NOT is tighter than =', 'NOT a = 1', { a: '2' }, false],
    ['a property alone is no truth', 'a OR NOT a', {}, false],
    ['a truth before a string matches nothing', 'TRUE = a', { a: 'true' }, false],
    ['nothing contains the empty string', "a CONTAINS '' OR a NOT CONTAINS ''", { a: 'x' }, false],
    ['names are case-sensitive', 'A = 1', { a: '1' }, false],
    ['the last of two equal names counts', 'a = 2', { a: '2' }, true],
  ])('as RocketMQ has it: %s', (_what, text, properties, expected) => {
    expect(matches(text, properties)).toBe(expected)
  })

  test('reads properties where they lie, and passes over those that lie about their form', () => {
    const filter = SqlFilter.compile("a = '1' AND b IS NULL")
    for (const text of [
      'a\u00011\u0002',
      'a\u00011',
      '\u0002\u0002b\u0002a\u00011\u0002b\u0001',
      'a\u00012\u0002a\u00011',
    ]) {
      const bytes = Buffer.from(`##${text}##`)
      expect(filter.matches(bytes, 2, bytes.length - 2)).toBe(true)
    }
  })
})

describe('a bad filter', () => {
  test.each([
    ['', 1, 'the expression ends'],
    ['a', 0, 'none'],
    ['a =', 4, 'the expression ends'],
    ['a = = 1', 5, 'found "="'],
    ['a > 1 AND', 10, 'the expression ends'],
    ["a > 'x'", 5, 'only numbers'],
    ['a > TRUE', 5, 'only numbers'],
    ['a = NULL', 5, 'IS NULL'],
    ['5', 1, 'no truth'],
    ["a AND 'x'", 7, 'no truth'],
    ['a BETWEEN 10 AND 0', 11, 'lower value first'],
    ['a IN (1)', 7, 'a string should be'],
    ["1 IN ('a')", 1, 'a property'],
    ["a IN ('a'", 10, ', or )'],
    ['(a = 1', 7, ') should be'],
    ['a = 1 b = 2', 7, 'found "b"'],
    ['user-id = 1', 5, 'found "-"'],
    ["a = 'x", 5, 'a string that does not end'],
    ['a = 9223372036854775808', 5, '64 bits'],
    ['a = 0.0', 5, '4.9E-324'],
    ['a = 1e999', 5, '1.8E308'],
    ['a & b', 3, 'unexpected "&"'],
    ["a LIKE 'x%'", 3, 'found "LIKE"'],
    ['TRUE = 1', 8, 'a truth'],
  ])('%s is refused at column %i', (text, column, what) => {
    const fault = faultOf(text)
    expect(fault).toContain(what)
    if (column > 0) expect(fault).toContain(`At line 1, column ${column}:`)
  })

  test('names the line', () => {
    expect(faultOf('a = 1\n  AND\n  ?')).toContain('At line 3, column 3: unexpected "?"')
  })

  test('that is enormous or deep is refused, in every way to be deep', () => {
    expect(faultOf(`a = '${'x'.repeat(EXPRESSION_LENGTH_MAX)}'`)).toContain('longer than')
    const deep = EXPRESSION_DEPTH_MAX + 1
    expect(faultOf(`${'('.repeat(deep)}a = 1${')'.repeat(deep)}`)).toContain('deep')
    expect(faultOf(`${'NOT '.repeat(deep)}a`)).toContain('deep')
    expect(faultOf(`a = ${'- '.repeat(deep)}1`)).toContain('deep')
    expect(faultOf(`a${' = a'.repeat(deep + 1)}`)).toContain('deep')
    expect(faultOf(`a${" CONTAINS 'a'".repeat(deep + 1)}`)).toContain('deep')
    expect(faultOf(Array.from({ length: 1_000 }, () => 'a = 1').join(' OR '))).toBe('none')
  })
})

describe('against a naive evaluator', () => {
  test('every filter says the same of every message', () => {
    fc.assert(
      fc.property(treeOf(), propertiesOf(), (tree: Tree, properties) => {
        expect(matches(written(tree), properties)).toBe(naive(tree, properties) === true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('no text crashes the parser', () => {
    const piece = fc.constantFrom(
      'a',
      '1',
      '(',
      ')',
      'NOT ',
      ' AND ',
      ' OR ',
      '=',
      '<',
      "'",
      ' IN ',
      ' IS ',
      'NULL',
      '-',
      '/*',
      '.',
    )
    fc.assert(fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => faultOf(pieces.join('')).length > 0))
    fc.assert(fc.property(fc.string(), (text) => faultOf(text).length > 0))
  })
})

function propertiesOf(): fc.Arbitrary<Record<string, string>> {
  const value = fc.constantFrom(
    '0',
    '1',
    '-1',
    '5',
    '5.5',
    '-0.0',
    '3000000000',
    'true',
    'x',
    'xy',
    ' 7 ',
    '1e3',
    'NaN',
  )
  return fc.dictionary(fc.constantFrom('a', 'b', 'c'), value)
}
