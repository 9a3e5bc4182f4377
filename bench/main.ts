/** `npm run bench -- [options]`: runs scenarios and says what they measured. See `README.md`. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { errorMessage } from '../src/lib/errors.ts'
import { baselineOf, compare, parseBaseline } from './baseline.ts'
import { Children } from './children.ts'
import { root } from './command-line.ts'
import { environmentOf } from './environment.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { resultText } from './pages.ts'
import { publish, writeReport } from './published.ts'
import { formatResults, parseResults, type Result } from './results.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { textTable } from './tables.ts'

const names = scenarios.map(({ name }) => name)

const baselineFile = join(root, 'bench/baseline.json')

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args, names)
  if (options === 'help') {
    console.log(
      `${USAGE}\n\n${textTable([['scenario', 'measures'], ...scenarios.map(({ name, title }) => [name, title])])}`,
    )
    return 0
  }
  const results =
    options.from === undefined ? await measureAll(options, args) : parseResults(readFileSync(options.from, 'utf8'))
  if (options.json !== undefined) writeFileSync(options.json, formatResults(results))
  if (options.writeReadme) publish(results)
  console.log(`plots: ${writeReport(results)}`)
  const micros = results.find(({ scenario, metrics }) => scenario === 'micro' && metrics.length > 0)
  const isSlower = options.compare !== undefined && micros !== undefined && compareWith(options.compare, micros)
  if (options.writeBaseline && micros !== undefined) {
    writeFileSync(baselineFile, `${JSON.stringify(baselineOf(micros), null, 2)}\n`)
  }
  return isSlower || results.some(({ failed }) => failed !== undefined) ? 1 : 0
}

async function measureAll(options: Options, args: readonly string[]): Promise<readonly Result[]> {
  const children = Children.untilInterrupted()
  const dir = mkdtempSync(join(resolve(options.dir ?? tmpdir()), 'raftmq-bench-'))
  children.keepFolder(dir)
  const command = ['npm run bench', ...(args.length === 0 ? [] : ['--', ...measuring(args)])].join(' ')
  try {
    const results: Result[] = []
    for (const scenario of scenarios.filter(({ name }) => options.only.includes(name))) {
      results.push(await measure(scenario, { dir, options, command, children }))
      console.log(`\n${results.slice(-1).map(resultText).join('')}\n`)
    }
    return results
  } finally {
    await children.close()
  }
}

/** The arguments without those that only say where results go. */
function measuring(args: readonly string[]): readonly string[] {
  const places = new Set(['--json', '--dir', '--compare'])
  return args.filter((arg, at) => !/^--(json|dir|compare)(=|$)|^--write-/.test(arg) && !places.has(args[at - 1] ?? ''))
}

async function measure(
  scenario: Scenario,
  {
    dir,
    options,
    command,
    children,
  }: {
    readonly dir: string
    readonly options: Options
    readonly command: string
    readonly children: Children
  },
): Promise<Result> {
  const { name, title } = scenario
  const { quick: isQuick, minutes: soakMinutes } = options
  const own = join(dir, name)
  mkdirSync(own)
  console.error(`${name}: ${title}`)
  const head = {
    scenario: name,
    title,
    takenAt: new Date().toISOString(),
    command,
    isQuick,
    environment: environmentOf(root, own),
  }
  try {
    const measured = await scenario.run({
      dir: own,
      isQuick,
      say: (line) => console.error(`  ${line}`),
      children,
      soakMinutes,
    })
    if ('skipped' in measured) return { ...head, metrics: [], notes: [], skipped: measured.skipped }
    return { ...head, ...measured }
  } catch (error) {
    return { ...head, metrics: [], notes: [], failed: errorMessage(error) }
  } finally {
    rmSync(own, { recursive: true, force: true })
  }
}

function compareWith(path: string, result: Result): boolean {
  const { rows, slower, isSameMachine } = compare(parseBaseline(readFileSync(path, 'utf8')), result)
  console.log(`\n${textTable(rows)}`)
  if (!isSameMachine) console.log('The baseline is of another machine or Node.js: the change says nothing.')
  return isSameMachine && slower.length > 0
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(errorMessage(error))
  process.exitCode = 1
}
