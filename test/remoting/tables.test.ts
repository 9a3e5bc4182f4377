/** The tables are whole: every header can be built, sent and read; every code has one name. */
import { expect, test } from 'vitest'
import {
  languageCode,
  LanguageCode,
  languageName,
  RequestCode,
  requestCodeName,
  ResponseCode,
  responseCodeName,
  SerializeType,
} from '../../src/remoting/codes.ts'
import { decodeCommand } from '../../src/remoting/command.ts'
import { encodeFrame } from '../../src/remoting/frame-writer.ts'
import type { FieldTable, HeaderSchema } from '../../src/remoting/header.ts'
import * as auth from '../../src/remoting/headers/auth.ts'
import * as broker from '../../src/remoting/headers/broker.ts'
import * as client from '../../src/remoting/headers/client.ts'
import * as controller from '../../src/remoting/headers/controller.ts'
import * as group from '../../src/remoting/headers/group.ts'
import * as lite from '../../src/remoting/headers/lite.ts'
import * as namesrv from '../../src/remoting/headers/namesrv.ts'
import * as offset from '../../src/remoting/headers/offset.ts'
import * as pop from '../../src/remoting/headers/pop.ts'
import * as pull from '../../src/remoting/headers/pull.ts'
import * as query from '../../src/remoting/headers/query.ts'
import * as send from '../../src/remoting/headers/send.ts'
import * as topic from '../../src/remoting/headers/topic.ts'
import * as transaction from '../../src/remoting/headers/transaction.ts'

interface Defined extends HeaderSchema<unknown> {
  readonly fields: FieldTable
  readonly short: HeaderSchema<unknown>
}

const modules: readonly Readonly<Record<string, Defined>>[] = [
  auth,
  broker,
  client,
  controller,
  group,
  lite,
  namesrv,
  offset,
  pop,
  pull,
  query,
  send,
  topic,
  transaction,
]
const headers = modules.flatMap((module) => Object.entries(module))
const samples = { string: 'name', text: 'grün', int: -2147483648, long: 9007199254740991, boolean: true, double: 0.25 }

test('there are as many headers as the protocol has', () => {
  expect(headers.length).toBeGreaterThan(100)
})

test.for(headers)('%s survives both forms, under long names and short ones', ([, schema]) => {
  const entries = Object.entries(schema.fields)
  const full = Object.fromEntries(entries.map(([name, { kind }]) => [name, samples[kind]]))
  const least = Object.fromEntries(
    entries.filter(([, { required }]) => required).map(([name, { kind }]) => [name, samples[kind]]),
  )
  for (const form of [SerializeType.JSON, SerializeType.ROCKETMQ]) {
    for (const one of [schema, schema.short]) {
      for (const header of [full, least]) {
        const head = { form, code: 1, language: 0, version: 0, opaque: 0, flag: 0 }
        const frame = encodeFrame(head, { header: one.encode(header) })
        expect(one.decode(decodeCommand(frame, 4).fields)).toEqual(header)
      }
    }
  }
})

test('every code has one name, and every name its code', () => {
  for (const [codes, nameOf] of [
    [RequestCode, requestCodeName],
    [ResponseCode, responseCodeName],
    [LanguageCode, languageName],
  ] as const) {
    for (const [name, code] of Object.entries(codes)) expect(nameOf(code)).toBe(name)
  }
  expect([requestCodeName(99_999), responseCodeName(99_999), languageName(99)]).toEqual(['99999', '99999', 'OTHER'])
  expect([languageCode('NODE_JS'), languageCode('COBOL')]).toEqual([LanguageCode.NODE_JS, LanguageCode.OTHER])
})
