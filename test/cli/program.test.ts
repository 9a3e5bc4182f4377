import { expect, test } from 'vitest'
import { describeOptions } from '../../src/cli/option-report.ts'
import { buildProgram, verboseFirst } from '../../src/cli/program.ts'
import { parseProperties } from '../../src/lib/properties.ts'

const names = [
  'up',
  'namesrv',
  'broker',
  'produce',
  'consume',
  'status',
  'topic',
  'group',
  'message',
  'queue',
  'dlq',
  'stats',
  'probe',
  'producers',
  'config',
  'kv',
  'permission',
  'export',
  'import',
  'clean',
  'mode',
  'lost',
  'recover',
  'transfer-leader',
  'member',
  'bench',
  'compare',
]

test('the help names every command without loading one', async () => {
  const program = await buildProgram(['--help'], '1.2.3')
  expect(program.commands.map((command) => command.name())).toEqual(names)
  expect(program.commands.every((command) => command.options.length === 0)).toBe(true)
  expect(program.version()).toBe('1.2.3')
})

test.each(names)('%s is loaded when it is asked for, with a help of its own', async (name) => {
  for (const argv of [
    [name, '--help'],
    ['--verbose', name],
    ['help', name],
  ]) {
    const program = await buildProgram(argv, '1.2.3')
    expect(program.commands.map((command) => command.name()).sort()).toEqual(names.toSorted())
    const command = program.commands.find((candidate) => candidate.name() === name)
    expect((command?.options.length ?? 0) + (command?.commands.length ?? 0)).toBeGreaterThan(0)
    expect(command?.description()).not.toBe('')
  }
})

test('--verbose counts after the command too', async () => {
  expect(verboseFirst(['status', '-n', 'a:1', '--verbose'])).toEqual(['--verbose', 'status', '-n', 'a:1'])
  const program = await buildProgram(['status'], '1')
  program.commands.find((command) => command.name() === 'status')?.action(() => undefined)
  await program.parseAsync(verboseFirst(['status', '--verbose']), { from: 'user' })
  expect(program.opts()['verbose']).toBe(true)
})

/** Servers; what a script sends or keeps as it is; and files. */
const withoutJson = ['namesrv', 'broker', 'produce', 'kv get', 'export']

test('every command that shows or changes something has --json', async () => {
  const lacking: string[] = []
  for (const name of names) {
    const program = await buildProgram([name], '1')
    const command = program.commands.find((candidate) => candidate.name() === name)
    const leaves = command?.commands.length === 0 ? [command] : (command?.commands ?? [])
    for (const leaf of leaves) {
      const words = leaf === command ? name : `${name} ${leaf.name()}`
      if (!leaf.options.some(({ long }) => long === '--json')) lacking.push(words)
    }
  }
  expect(lacking).toEqual(withoutJson)
})

test('the help says which options are required', async () => {
  const program = await buildProgram(['consume'], '1')
  const help = program.commands.find((command) => command.name() === 'consume')?.helpInformation() ?? ''
  expect(help.match(/^.*\(required\)$/gm)?.map((line) => line.trim().slice(0, 9))).toEqual(['-t, --top', '-g, --gro'])
})

test('-p is a .properties text with every key once, under what becomes of it', () => {
  const text = describeOptions({
    effective: [['listenPort', '1']],
    others: [
      ['threads', { class: 'withoutMeaning', why: 'no threads' }],
      ['tls', { class: 'unsupported', why: 'no TLS', default: 'false' }],
    ],
    knowledgeOf: (key) =>
      key === 'strange' ? { class: 'unknown', why: 'nobody has it' } : { class: 'honoured', why: '' },
    said: parseProperties('threads=4\nstrange=x', 'f'),
  })
  expect(text).toBe(
    '# honoured\nlistenPort=1\n\n# unknown: nobody has it\nstrange=x\n\n# without meaning here: no threads\nthreads=4\n\n# unsupported: no TLS\ntls=false\n',
  )
})
