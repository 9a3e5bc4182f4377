import { readFile, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { placedCodes } from '../../src/broker/processors/where.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { answeredCodes } from './answered-codes.ts'
import { partial, requestCodeRows } from './compatibility-page.ts'

const BEGIN = '<!-- request codes: begin -->'
const END = '<!-- request codes: end -->'
const page = new URL('../../docs/compatibility.md', import.meta.url)

// RAFTMQ_WRITE_DOCS=1 writes the table as it should be.
test('the table of request codes in docs/compatibility.md is that of the routing tables', async () => {
  const routed = await answeredCodes()
  const head = '| code | name | answered by | state |\n| --- | --- | --- | --- |'
  const table = [BEGIN, head, ...requestCodeRows(routed), END].join('\n')
  const text = await readFile(page, 'utf8')
  const from = text.indexOf(BEGIN)
  const to = text.indexOf(END) + END.length
  if (process.env['RAFTMQ_WRITE_DOCS'] === '1') await writeFile(page, text.slice(0, from) + table + text.slice(to))
  else expect(text.slice(from, to)).toBe(table)
})

test('every code that is called partial is answered, and every place in where.ts has its route', async () => {
  const routed = await answeredCodes()
  const all = new Set([...routed.broker, ...routed.namesrv])
  const codes = new Map<string, number>(Object.entries(RequestCode))
  for (const name of Object.keys(partial)) expect(all.has(codes.get(name) ?? -1), name).toBe(true)
  expect(placedCodes().filter((code) => !routed.broker.has(code))).toEqual([])
})
