/** `npm run chaos -- [--scenario NAME] [--minutes N] …`: runs scenarios and says what held. See `README.md`. */
import { writeFileSync } from 'node:fs'
import { errorMessage } from '../src/lib/errors.ts'
import { gapText } from './gap-text.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import { page } from './report.ts'
import { runScenario, type Result, type RunRequest } from './run-scenario.ts'
import { runSealed } from './run-sealed.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/index.ts'
import { addToTally } from './tally.ts'

const MINUTE_MS = 60_000

function chosen({ scenarios: named, families, long }: Options): readonly Scenario[] {
  const isAll = named.length === 0 && families.length === 0
  const asked = scenarios.filter(({ name, family }) => isAll || named.includes(name) || families.includes(family))
  const now = asked.filter(({ name, isLong = false }) => !isLong || long || named.includes(name))
  for (const { name } of asked) {
    if (!now.some((one) => one.name === name))
      console.log(`left out: ${name} takes more than ten minutes; --long runs it`)
  }
  return now
}

const isTerminal = process.stdout.isTTY

function look(line: string): void {
  if (isTerminal) process.stdout.write(`\r${line.slice(0, 110).padEnd(110)}`)
}

function say(result: Result): void {
  if (isTerminal) process.stdout.write(`\r${' '.repeat(110)}\r`)
  const { scenario, outcome, rounds, acknowledged, undecided, lost, reasons, seconds } = result
  const sends = gapText(rounds.map(({ gapMs }) => gapMs))
  const deliveries = gapText(rounds.map(({ deliveryGapMs }) => deliveryGapMs))
  const counts = `${rounds.length} rounds, ${acknowledged} acknowledged, ${undecided} undecided, ${lost} lost`
  const figures = `${counts}, longest gap in sends ${sends} ms, in deliveries ${deliveries} ms (p50 / p99 / worst), ${seconds} s`
  console.log(
    `${outcome}: ${scenario}: ${outcome === 'skipped' ? '' : figures}${reasons.map((text) => `; ${text}`).join('')}`,
  )
}

async function run(options: Options): Promise<readonly Result[]> {
  const { minutes, rounds, workload, ratePerSecond, acks, keep, out } = options
  const results: Result[] = []
  for (const scenario of chosen(options)) {
    const request: RunRequest = {
      scenario,
      workload,
      mode: scenario.mode ?? options.mode,
      ms: minutes === undefined ? Infinity : minutes * MINUTE_MS,
      maxRounds: minutes === undefined ? rounds : Infinity,
      seed: options.seed ?? Math.floor(performance.timeOrigin) % 1_000_000,
      ratePerSecond,
      acks,
      keep,
      look,
    }
    const isSealed = scenario.ownNamespaces === true && !options.sealed && scenario.cannot?.() === undefined
    const result = isSealed ? await runSealed(request) : await runScenario(request)
    say(result)
    results.push(result)
    writeFileSync(`${out}.json`, `${JSON.stringify(results, null, 1)}\n`)
    writeFileSync(`${out}.html`, page(results))
  }
  return results
}

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === 'help') {
    console.log(USAGE)
    return 0
  }
  if (options.list) {
    for (const { name, family, number, hypothesis } of scenarios)
      console.log(`${name} (${family}; ${number}): ${hypothesis}`)
    return 0
  }
  const results = await run(options)
  if (options.record) addToTally(results)
  const sum = (outcome: Result['outcome']): number => results.filter((one) => one.outcome === outcome).length
  console.log(`report: ${options.out}.html`)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
  return sum('failed') === 0 ? 0 : 1
}

try {
  process.exit(await main(process.argv.slice(2)))
} catch (error) {
  console.error(errorMessage(error))
  process.exit(1)
}
