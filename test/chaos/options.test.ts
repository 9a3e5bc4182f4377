import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readOptions, USAGE } from '../../chaos/options.ts'

test('--help is help, whatever else is asked for', () => {
  expect(readOptions(['--help', '--rounds', 'abc'])).toBe('help')
})

test('with nothing said every scenario runs once, in the strict mode, with the own client', () => {
  expect(readOptions([])).toMatchObject({
    scenarios: [],
    families: [],
    rounds: 1,
    minutes: undefined,
    mode: { flush: 'sync', replication: 'sync' },
    workload: 'own',
  })
})

test.each([
  [['--nope'], "Unknown option '--nope'"],
  [['nope'], "Unexpected argument 'nope'"],
  [['--scenario', 'nope'], 'there is no scenario nope; --list names them'],
  [['--family', 'nope'], '--family is one of kill, pause,'],
  [['--rounds', 'abc'], '--rounds is a whole number from 1, not abc'],
  [['--rounds', '0'], '--rounds is a whole number from 1, not 0'],
  [['--minutes', '0'], '--minutes is a number above 0, not 0'],
  [['--flush', 'never'], '--flush is one of sync, async, not never'],
  [['--workload', 'nope'], '--workload is one of own, java, java-quick-pulls, not nope'],
])('%j is refused in one line', (args, line) => {
  const refused = (): unknown => readOptions(args)
  expect(refused).toThrow(line)
  expect(refused).not.toThrow('\n')
})

test('the README names every option that the usage names', () => {
  const page = readFileSync(new URL('../../chaos/README.md', import.meta.url), 'utf8')
  const options = [...USAGE.matchAll(/^ {2}(--\w+)/gm)].map(([, name = '']) => name)
  expect(options.length).toBeGreaterThan(10)
  expect(options.filter((name) => !page.includes(name))).toEqual([])
})
