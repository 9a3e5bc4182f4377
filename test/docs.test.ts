import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { brokerOptionTable } from '../src/broker/options/options-table.ts'
import { otherKeys, type KeyKnowledge } from '../src/broker/options/options.ts'
import type { ErrorSpec } from '../src/lib/errors.ts'
import { documentOptions } from '../src/lib/options.ts'
import { namesrvOptionTable, otherNamesrvKeys } from '../src/namesrv/options.ts'

// The pages are made by these tests: npm test -- test/docs.test.ts -u writes them anew.

test('docs/options.md says what the option tables say', async () => {
  const page = [
    '# Options',
    '',
    'Made from the option tables by `npm test -- test/docs.test.ts -u`; a test compares.',
    '',
    'Properties of a file given with `raftmq broker -c` or `raftmq namesrv -c`. Keys that RocketMQ has mean what they mean',
    'there, in its units. *group*: must be the same on all nodes of a group. *process*: each node has its own.',
    'A key that is not supported, or unknown, is named in one warning; an impossible value stops the start.',
    '`-p` prints all keys with their effective values.',
    '',
    '## Broker: honoured',
    '',
    documentOptions(brokerOptionTable),
    '',
    ...others('Broker', otherKeys()),
    '## Name server: honoured',
    '',
    documentOptions(namesrvOptionTable),
    '',
    ...others('Name server', otherNamesrvKeys()),
  ].join('\n')
  await expect(`${page.trimEnd()}\n`).toMatchFileSnapshot('../docs/options.md')
})

function others(who: string, keys: Iterable<readonly [key: string, knowledge: KeyKnowledge]>): readonly string[] {
  const known = [...keys]
  const rows = (kind: KeyKnowledge['class']): readonly string[] => {
    const byWhy = new Map<string, string[]>()
    for (const [key, knowledge] of known) {
      if (knowledge.class !== kind) continue
      const list = byWhy.get(knowledge.why) ?? []
      byWhy.set(knowledge.why, [...list, `\`${key}\``])
    }
    return [...byWhy].map(([why, list]) => `| ${why} | ${list.join(' ')} |`)
  }
  return [
    `## ${who}: not supported`,
    '',
    'They would change what it does, and do not: any value but RocketMQ’s default is named in a warning.',
    '',
    '| why | keys |',
    '| --- | --- |',
    ...rows('unsupported'),
    '',
    `## ${who}: without meaning here`,
    '',
    'They tune machinery that does not exist here, and are taken without a word.',
    '',
    '| why | keys |',
    '| --- | --- |',
    ...rows('withoutMeaning'),
    '',
  ]
}

test('docs/errors.md has every error with its code', async () => {
  const tables = await errorTables()
  const page = [
    '# Errors',
    '',
    'Made from the error tables by `npm test -- test/docs.test.ts -u`; a test compares.',
    '',
    'Every error that leaves a part of RaftMQ has a stable `code`. Match codes, never texts or classes. *retriable*: the',
    'same request may succeed later or elsewhere.',
    ...[...tables].flatMap(([room, specs]) => [
      '',
      `## ${room}`,
      '',
      '| code | retriable | what happened |',
      '| --- | --- | --- |',
      ...Object.entries(specs)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([code, { retriable, doc }]) => `| \`${code}\` | ${retriable ? 'yes' : 'no'} | ${doc} |`),
    ]),
  ].join('\n')
  await expect(`${page}\n`).toMatchFileSnapshot('../docs/errors.md')
})

test('no two errors have the same code', async () => {
  const codes = [...(await errorTables()).values()].flatMap((specs) => Object.keys(specs))
  // What Raft's port for the log prescribes, the store throws.
  const prescribed = ['RAFT_BAD_ENTRIES', 'RAFT_LOG_FULL', 'RAFT_RESET_ABORTED']
  const twice = codes.filter((code, at) => codes.indexOf(code) !== at)
  expect(twice.filter((code) => !prescribed.includes(code))).toEqual([])
})

/** Room → its errors, of every table that any source declares. */
async function errorTables(): Promise<ReadonlyMap<string, Readonly<Record<string, ErrorSpec>>>> {
  const root = new URL('../src/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('.ts') && / = defineErrors\(/.test(readFileSync(new URL(file, root), 'utf8')))
    .sort()
  const rooms = new Map<string, Record<string, ErrorSpec>>()
  for (const file of files) {
    const room = file.split('/')[0] ?? ''
    const exported: object = await import(new URL(file, root).href)
    for (const value of Object.values(exported)) {
      if (!isErrorTable(value)) continue
      rooms.set(room, { ...rooms.get(room), ...value.specs })
    }
  }
  return rooms
}

function isErrorTable(value: unknown): value is { readonly specs: Readonly<Record<string, ErrorSpec>> } {
  return typeof value === 'object' && value !== null && 'specs' in value && 'create' in value
}
