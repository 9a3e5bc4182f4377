/** `npm run bench:peers -- [options]`: the same loads against RaftMQ and others, in turns. See `../README.md`. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { errorMessage } from '../../src/lib/errors.ts'
import { Children } from '../children.ts'
import { root } from '../command-line.ts'
import { environmentOf } from '../environment.ts'
import { resultText } from '../pages.ts'
import { publish, writeReport } from '../published.ts'
import { formatResults, type Result } from '../results.ts'
import { textTable } from '../tables.ts'
import { compare } from './compare.ts'
import { type Comparison, comparisons, resultNameOf } from './comparisons.ts'
import { type Options, readOptions, USAGE } from './options.ts'

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(
    args,
    comparisons.map(({ name }) => name),
  )
  if (options === 'help') {
    const rows = comparisons.map(({ name, title }) => [name, title])
    console.log(`${USAGE}\n\n${textTable([['comparison', 'between'], ...rows])}`)
    return 0
  }
  const children = Children.untilInterrupted()
  const dir = mkdtempSync(join(resolve(options.dir ?? tmpdir()), 'raftmq-peers-'))
  children.keepFolder(dir)
  const results: Result[] = []
  try {
    for (const comparison of comparisons.filter(({ name }) => options.only.includes(name))) {
      results.push(await measure(comparison, { options, dir, children }))
      console.log(`\n${results.slice(-1).map(resultText).join('')}\n`)
    }
  } finally {
    await children.close()
  }
  if (options.json !== undefined) writeFileSync(options.json, formatResults(results))
  if (options.writeReadme) publish(results)
  console.log(`plots: ${writeReport(results)}`)
  return 0
}

async function measure(
  comparison: Comparison,
  { options, dir, children }: { readonly options: Options; readonly dir: string; readonly children: Children },
): Promise<Result> {
  const { name, title } = comparison
  const own = join(dir, name)
  mkdirSync(own)
  console.error(`${name}: ${title}`)
  const environment = environmentOf(root, own)
  const head = {
    scenario: resultNameOf(comparison),
    title,
    takenAt: new Date().toISOString(),
    command: `npm run bench:peers -- --only ${name}${options.rounds === undefined ? '' : ` --pairs ${options.rounds}`}`,
    isQuick: options.quick,
    environment,
  }
  try {
    const measured = await compare(comparison, {
      dir: own,
      children,
      isQuick: options.quick,
      rounds: options.rounds,
      fsyncMs: environment.fsyncMs,
      say: (line) => console.error(`  ${line}`),
    })
    return { ...head, ...measured }
  } catch (error) {
    return { ...head, metrics: [], notes: [], skipped: `absent: ${errorMessage(error)}` }
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(errorMessage(error))
  process.exitCode = 1
}
