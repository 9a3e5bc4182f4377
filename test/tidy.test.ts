import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { importsOf, stripText, type SourceFile } from './support/source-text.ts'
import { knownAssertions, knownLines, knownSleeps, knownTestLines } from './support/tidy-known.ts'
import {
  brokenInnerRooms,
  brokenLayers,
  deadFiles,
  forbiddenNodeParts,
  importCycles,
  importedFromOutside,
  leftovers,
  machinePaths,
  ratchet,
  sleeps,
  typeAssertions,
  worldTouches,
} from './support/tidy-rules.ts'

const root = new URL('../', import.meta.url)
const all = textFiles()
const typescript = all.filter(({ path }) => path.endsWith('.ts'))
const sources = typescript.filter(({ path }) => path.startsWith('src/'))

/** Where programs begin, and what the package exports. */
const roots = [
  'src/cli/main.ts',
  'src/cli/experiments/faulty-broker.ts',
  'src/index.ts',
  'src/client/index.ts',
  'src/raft/index.ts',
]

/** Headers and bodies of requests that are answered "not supported" so far, with golden frames that prove them. */
const declaredAhead = [
  'src/remoting/bodies/auth.ts',
  'src/remoting/headers/auth.ts',
  'src/remoting/headers/controller.ts',
  'src/remoting/headers/lite.ts',
]

/** Sources that may read the machine's clocks, chance and process: `path`, or `path use`. */
const worldly = ['src/cli/', 'src/lib/clock.ts', 'src/lib/prng.ts', 'src/broker/peers/peer-socket.ts process.nextTick']

/** Sources that may touch the machine, by the part of Node. Everything else is handed what it needs. */
const nodeParts = [
  {
    part: /^node:fs/,
    allowed: [
      'src/cli/',
      'src/store/node-file-system.ts',
      'src/namesrv/text-files.ts',
      'src/client/',
      'src/load/history.ts',
    ],
  },
  {
    part: /^node:(net|tls|dns|dgram|http)/,
    allowed: ['src/cli/', 'src/remoting/sockets.ts', 'src/broker/clients/born-host.ts'],
  },
  { part: /^level$/, allowed: ['src/cli/', 'src/store/level-database.ts'] },
  { part: /^node:(child_process|cluster|worker_threads)/, allowed: ['src/cli/'] },
  { part: /^node:/, allowed: sources.map(({ path }) => path).filter((path) => !path.startsWith('src/raft/')) },
]

/** Files of the simulator that meet the machine: programs and files. All else is simulated, and one seed is one run. */
const worldlySims = [
  'sim/main.ts',
  'sim/campaign.ts',
  'sim/world/settle.ts',
  'sim/mutants-main.ts',
  'sim/worker.ts',
  'sim/progress.ts',
]

const LINES = { limit: 350, unit: 'lines' }
const TEST_LINES = { limit: 500, unit: 'lines' }
const ASSERTIONS = { limit: 0, unit: 'type assertions' }
const SLEEPS = { limit: 0, unit: 'timers of the machine' }

describe('the sources', () => {
  test('import downwards only, and nothing of test, sim, chaos and bench', () => {
    expect(brokenLayers(sources)).toEqual([])
  })

  test('within the broker and the client use only the rooms below theirs', () => {
    expect(brokenInnerRooms(sources)).toEqual([])
  })

  test('import in no circle', () => {
    expect(importCycles(typescript)).toEqual([])
  })

  test('are all reached from a program, an export, an experiment or a measurement', () => {
    const dead = (from: readonly string[]): readonly string[] =>
      deadFiles(typescript, from).filter((path) => path.startsWith('src/'))
    const experiments = typescript.map(({ path }) => path).filter((path) => /^(chaos|bench)\/[\w-]+\.ts$/.test(path))
    expect(dead([...roots, ...experiments, ...declaredAhead])).toEqual([])
    expect(dead([...roots, ...experiments]).filter((path) => declaredAhead.includes(path))).toEqual(declaredAhead)
  })

  test('touch time, chance and the process only where they are handed in from', () => {
    expect(worldTouches(sources, worldly)).toEqual([])
  })

  test('touch the disk, the network and other processes only in named files', () => {
    expect(forbiddenNodeParts(sources, nodeParts)).toEqual([])
  })

  test('assert types only where a codec ends, and less with time', () => {
    const measured = new Map(sources.map((file) => [file.path, typeAssertions(file)]))
    expect(ratchet(measured, { ...ASSERTIONS, known: knownAssertions })).toEqual([])
  })
})

describe('the simulator', () => {
  const sims = typescript.filter(({ path }) => path.startsWith('sim/'))

  test('is imported by tests alone', () => {
    expect(importedFromOutside('sim', typescript)).toEqual([])
  })

  test('touches time, chance and the process only in its programs', () => {
    expect(worldTouches(sims, worldlySims)).toEqual([])
  })

  test('is all reached from its programs', () => {
    const programs = ['sim/main.ts', 'sim/mutants-main.ts', 'sim/worker.ts']
    expect(deadFiles(typescript, programs).filter((path) => path.startsWith('sim/'))).toEqual([])
  })
})

describe('everything', () => {
  test('is finished: no notes to self are left', () => {
    expect(leftovers(all)).toEqual([])
  })

  test('names no path of the machine it was written on', () => {
    expect(machinePaths(all.filter(({ path }) => path !== 'test/tidy.test.ts'))).toEqual([])
  })

  test('comes in small files, and those that are not do not grow', () => {
    const tests = typescript.filter(({ path }) => path.startsWith('test/'))
    expect(ratchet(linesOf(tests), { ...TEST_LINES, known: knownTestLines })).toEqual([])
    expect(
      ratchet(linesOf(typescript.filter((source) => !tests.includes(source))), { ...LINES, known: knownLines }),
    ).toEqual([])
  })

  test('tests without sleeping', () => {
    const tests = typescript.filter(({ path }) => path.startsWith('test/') && !path.startsWith('test/interop/'))
    expect(ratchet(new Map(tests.map((file) => [file.path, sleeps(file)])), { ...SLEEPS, known: knownSleeps })).toEqual(
      [],
    )
  })
})

const linesOf = (files: readonly SourceFile[]): ReadonlyMap<string, number> =>
  new Map(files.map(({ path, text }) => [path, text.split('\n').length - 1]))

const file = (path: string, text: string): SourceFile => ({ path, text })

describe('the checkers', () => {
  test('read code apart from comments, strings, templates and regular expressions', () => {
    const code = "a // Date.now\nb /* x\n y */ c 'it\\'s' `t ${d({ e: `n` })} u` = /[/'\"]/.f"
    expect(stripText(code, true)).toBe("a            \nb     \n      c '     ' `  ${d({ e: ` ` })}  ` = /     /.f")
    expect(stripText('a / b / c', true)).toBe('a / b / c')
  })

  test('see every form of import', () => {
    const text =
      "import a from './a.ts'\nimport type { B } from '../b.ts'\nimport {\n  c,\n} from 'c'\nimport './d.ts'\nexport * from './e.ts'\nconst f = () => import('./f.ts')\n// import './g.ts'\n"
    expect(importsOf(file('src/x/y.ts', text)).map(({ to, isType }) => `${to}${isType ? ' (type)' : ''}`)).toEqual([
      'src/x/a.ts',
      'src/b.ts (type)',
      'c',
      'src/x/d.ts',
      'src/x/e.ts',
      'src/x/f.ts',
    ])
  })

  test('see an import that points upwards, types included', () => {
    const offender = file(
      'src/raft/core.ts',
      "import type { S } from '../store/segment.ts'\nimport '../lib/assert.ts'\n",
    )
    expect(brokenLayers([offender])).toEqual([
      'src/raft/core.ts imports src/store/segment.ts: raft must not know store',
    ])
    expect(brokenLayers([file('src/cli/main.ts', "import '../../test/support/until.ts'")])).toHaveLength(1)
    const upwards = file('src/broker/tables/topics.ts', "import { PullHold } from '../clients/pull-hold.ts'")
    expect(brokenInnerRooms([upwards])).toEqual([
      'src/broker/tables/topics.ts imports src/broker/clients/pull-hold.ts: tables must not use clients',
    ])
    expect(brokenInnerRooms([file('src/broker/errors.ts', "import { Peers } from './peers/peers.ts'")])).toHaveLength(1)
  })

  test('see who imports a room that is for tests alone', () => {
    const chaos = file('chaos/kill.ts', "import { seeds } from '../sim/scopes.ts'")
    const tests = file('test/sim/sim.test.ts', "import { seeds } from '../../sim/scopes.ts'")
    expect(importedFromOutside('sim', [chaos, tests])).toEqual([
      'chaos/kill.ts imports sim/scopes.ts: only tests may import sim',
    ])
  })

  test('see a circle, and none where only types go round', () => {
    const ring = [
      file('src/a/x.ts', "import './y.ts'"),
      file('src/a/y.ts', "import './z.ts'"),
      file('src/a/z.ts', "import './x.ts'"),
    ]
    expect(importCycles(ring)).toEqual(['src/a/x.ts → src/a/y.ts → src/a/z.ts → src/a/x.ts'])
    const types = [file('src/a/x.ts', "import './y.ts'"), file('src/a/y.ts', "import type { X } from './x.ts'")]
    expect(importCycles(types)).toEqual([])
  })

  test('see a file that nothing reaches', () => {
    const files = [file('src/a.ts', "import './b.ts'"), file('src/b.ts', ''), file('src/c.ts', "import './a.ts'")]
    expect(deadFiles(files, ['src/a.ts'])).toEqual(['src/c.ts'])
  })

  test('see a part of Node where it does not belong', () => {
    const files = [
      file('src/raft/core.ts', "import fs from 'node:fs'"),
      file('src/store/node-file-system.ts', "import 'node:fs'"),
    ]
    const parts = [{ part: /^node:fs/, allowed: ['src/store/node-file-system.ts'] }]
    expect(forbiddenNodeParts(files, parts)).toEqual(['src/raft/core.ts imports node:fs'])
  })

  test.each([
    'Date.now()',
    'Math.random()',
    'setTimeout(f, 1)',
    'setImmediate(f)',
    'process.exit(1)',
    'new Date()',
    'performance.now()',
  ])('see the world touched by %s', (use) => {
    expect(worldTouches([file('src/raft/core.ts', `// ${use}\nconst x = '${use}'\n${use}\n`)], [])).toHaveLength(1)
    expect(worldTouches([file('src/lib/clock.ts', use)], ['src/lib/clock.ts'])).toEqual([])
  })

  test('do not take a method or a field for the world', () => {
    const text = 'socket.setTimeout(1)\nnew Date(ms)\nthis.process.exit\nclock.performance.now()\n'
    expect(worldTouches([file('src/raft/core.ts', text)], [])).toEqual([])
  })

  test('see what was left behind, and paths of a machine', () => {
    const note = ['TO', 'DO'].join('')
    expect(leftovers([file('a.md', `x\n${note}: later`)])).toEqual([`a.md:2 ${note}`])
    const [home, work] = [['', 'root', 'x.ts'].join('/'), ['', 'work', 'somebody', 'y'].join('/')]
    const text = `see ${home} and ${work}, not /tmp/rmqstore/z nor a${work}`
    expect(machinePaths([file('a.md', text)])).toHaveLength(2)
  })

  test('count type assertions, and not what looks like them', () => {
    const text =
      "import { a as b } from 'x'\nimport * as c from 'y'\nexport { d as e }\nconst f = g as H\nconst i = [1] as const\n(j as unknown) as K // as L\n'as M'"
    expect(typeAssertions(file('src/x.ts', text))).toBe(3)
  })

  test('count sleeps in tests', () => {
    expect(sleeps(file('test/x.test.ts', 'await new Promise((go) => setTimeout(go, 5))\nclock.setTimeout(1)'))).toBe(1)
  })

  test('hold a limit, let a known offender shrink only, and take it off its list in the end', () => {
    const known = { 'a.ts': 20, 'b.ts': 20, 'c.ts': 20 }
    const measured = new Map([
      ['a.ts', 20],
      ['b.ts', 21],
      ['c.ts', 9],
      ['d.ts', 11],
    ])
    expect(ratchet(measured, { limit: 10, unit: 'lines', known })).toEqual([
      'b.ts has 21 lines, at most 20',
      'd.ts has 11 lines, at most 10',
      'c.ts is below 11 lines: take it off the list',
    ])
  })
})

function textFiles(): readonly SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  })
  return listed
    .split('\0')
    .filter((path) => /\.(ts|mjs|md|json|java|xml|yml|txt)$|^\.ci\//.test(path) && path !== 'package-lock.json')
    .filter((path) => existsSync(new URL(path, root)))
    .map((path) => ({ path, text: readFileSync(new URL(path, root), 'utf8') }))
}
