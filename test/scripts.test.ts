import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readOptions } from './interop/options.ts'

const scripts = fileURLToPath(new URL('../scripts/', import.meta.url))

function run(name: string, arg: string): { readonly code: number | null; readonly out: string; readonly err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`${scripts}${name}.mjs`, arg], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

test.each(['build', 'check', 'ci', 'nightly', 'toxiproxy'])(
  'the script %s takes no options: it says what it does when asked, and starts nothing with one',
  (name) => {
    expect(run(name, '--help')).toMatchObject({ code: 0, out: expect.stringMatching(/^.+: .+\n$/), err: '' })
    expect(run(name, '--nope')).toEqual({ code: 1, out: '', err: 'there are no options here, --nope is none\n' })
  },
)

test.skipIf(process.platform === 'win32')('what npm start runs ends with the shell that npm runs it in', async () => {
  const program = `import { endWithParent } from '${scripts}steps.mjs'
    endWithParent()
    setInterval(() => undefined, 1_000)
    console.log('up')`
  // A second command, lest the shell become the program.
  const script = '"$0" --input-type=module -e "$1"; true'
  const shell = spawn('sh', ['-c', script, process.execPath, program], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(shell.stdout, 'data')
  shell.kill('SIGTERM')
  // The program holds the other end of the pipe for as long as it lives.
  await once(shell.stdout, 'close')
})

test('the interop scenarios run where no verb is said, and all of them where none is named', () => {
  expect(readOptions([], ['a'])).toMatchObject({ verb: 'run', target: 'raftmq', only: [], lanes: 3, repeat: 1 })
  expect(readOptions(['run', '--only', 'a'], ['a'])).toMatchObject({ verb: 'run', only: ['a'] })
  expect(readOptions(['serve', '37000'], ['a'])).toEqual({ verb: 'serve', namesrvPort: 37_000 })
  expect(readOptions(['record'], ['a'])).toEqual({ verb: 'record' })
})

test('the interop scenarios say their options when asked, whatever the verb', () => {
  expect(['run', 'serve', 'record'].map((verb) => readOptions([verb, '--help'], []))).toEqual(['help', 'help', 'help'])
})

test.each([
  [['--nope'], "Unknown option '--nope'"],
  [['nope'], "Unexpected argument 'nope'"],
  [['--only', 'nope'], 'no scenario has nope in its name'],
  [['--target', 'nope'], '--target is one of raftmq, stock, mixed, dledger, not nope'],
  [['--lanes', '0'], '--lanes is a whole number from 1 to 1000, not 0'],
  [['--fill', 'abc'], '--fill is a number from 0, not abc'],
  [['serve', 'abc'], 'a port is a whole number from 1 to 65535, not abc'],
  [['record', '--nope'], "Unknown option '--nope'"],
])('the interop scenarios refuse %j in one line', (args, line) => {
  const refused = (): unknown => readOptions(args, ['a'])
  expect(refused).toThrow(line)
  expect(refused).not.toThrow('\n')
})
