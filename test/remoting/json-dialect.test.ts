import { fc, it } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { JSON_DEPTH_MAX, parseJson, toJson } from '../../src/remoting/json-dialect.ts'

const queue = { brokerName: 'b', queueId: 0, topic: 't' }

/** Numbers that JSON gives back as they were. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)

const deep = (levels: number): string => `${'{0:'.repeat(levels)}1${'}'.repeat(levels)}`

describe('the dialect', () => {
  it.prop([json])('is JSON where JSON will do', (value) => {
    expect(toJson(value)).toBe(JSON.stringify(value))
    expect(parseJson(toJson(value))).toEqual(value)
  })

  it.prop([
    fc.array(fc.tuple(fc.record({ topic: fc.string(), queueId: fc.integer() }), json), { minLength: 1, maxLength: 6 }),
  ])('keeps maps whose keys are objects', (pairs) => {
    expect(parseJson(toJson({ offsetTable: new Map(pairs) }))).toEqual({ offsetTable: new Map(pairs) })
  })

  it.prop([fc.uniqueArray(fc.tuple(fc.integer(), json), { selector: ([key]) => key, maxLength: 6 })])(
    'keeps maps whose keys are numbers, quoted or not',
    (pairs) => {
      const map = new Map(pairs)
      const expected = Object.fromEntries(pairs)
      expect(parseJson(toJson(map))).toEqual(expected)
      expect(JSON.parse(toJson(map, { standard: true }))).toEqual(expected)
    },
  )

  test('looks as fastjson writes it', () => {
    expect(toJson({ brokerAddrs: new Map([[0, 'a:1']]) })).toBe('{"brokerAddrs":{0:"a:1"}}')
    expect(toJson({ offsetTable: new Map([[queue, { maxOffset: 1 }]]) })).toBe(
      '{"offsetTable":{{"brokerName":"b","queueId":0,"topic":"t"}:{"maxOffset":1}}}',
    )
  })

  test('in standard form quotes and sorts the keys of maps', () => {
    const map = new Map([
      [10, 'b'],
      [2, 'a'],
    ])
    expect(toJson({ map, none: undefined }, { standard: true })).toBe('{"map":{"2":"a","10":"b"}}')
  })

  test.for([
    ['{0:"a",1:"b"}', { 0: 'a', 1: 'b' }],
    ["{a:'it''s'}", undefined],
    ["{a:'x\\'y\\x41\\u0042\\n'}", { a: "x'yAB\n" }],
    ['{a:1,}', { a: 1 }],
    ['[1,2,]', [1, 2]],
    ['{$a_1:-1.5e3}', { $a_1: -1500 }],
    ['{0:NaN,1:undefined,2:true}', { 0: null, 1: null, 2: true }],
    [' { {"a":1} : [ {0:{}} ] } ', new Map([[{ a: 1 }, [{ 0: {} }]]])],
    ['{0:1}x', undefined],
    ['{0:1', undefined],
    ['{0:', undefined],
    ['{0 1}', undefined],
    ['[1 2,{0:1}]', undefined],
    ['{0:"a}', undefined],
    ['{0:"\\u00zz"}', undefined],
    ['', undefined],
    ['{0:maybe}', undefined],
  ] as const)('reads %s', ([text, expected]) => {
    let value: unknown
    let code: string | undefined
    try {
      value = parseJson(text)
    } catch (error) {
      code = errorCode(error)
    }
    expect([value, code]).toEqual([expected, expected === undefined ? 'REMOTING_BODY_INVALID' : undefined])
  })

  test('is refused when it is nested too deep, not followed until the stack ends', () => {
    expect(parseJson(deep(JSON_DEPTH_MAX))).toBeDefined()
    expect(() => parseJson(deep(JSON_DEPTH_MAX + 1))).toThrow('nested deeper than 64')
    expect(() => parseJson('['.repeat(1_000_000))).toThrow('no JSON')
  })

  it.prop(
    [
      fc.array(fc.constantFrom('{', '}', '[', ']', ':', ',', '"', "'", '0', '-', 'a', 'true', '\\', 'u', ' ', '1e'), {
        maxLength: 30,
      }),
    ],
    {
      numRuns: 5000,
    },
  )('of any text is read or refused with the one error', (parts) => {
    try {
      parseJson(parts.join(''))
    } catch (error) {
      expect(errorCode(error)).toBe('REMOTING_BODY_INVALID')
    }
  })
})
