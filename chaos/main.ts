/** `npm run chaos -- [--scenario NAME] [--minutes N] …`: runs scenarios and says what held. See `README.md`. */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { gapText } from './gap-text.ts'
import { page } from './report.ts'
import { runScenario, type Result, type RunRequest } from './run-scenario.ts'
import { runSealed } from './run-sealed.ts'
import { scenarios, smoke } from './scenarios/index.ts'
import { addToTally } from './tally.ts'
import type { WorkloadName } from './traffic.ts'
import { isWorkload, workloads } from './workloads.ts'

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    family: { type: 'string', multiple: true },
    smoke: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '1' },
    flush: { type: 'string', default: 'sync' },
    replication: { type: 'string', default: 'sync' },
    seed: { type: 'string' },
    workload: { type: 'string', default: 'own' },
    rate: { type: 'string', default: '2000' },
    acks: { type: 'string', default: '500' },
    out: { type: 'string', default: 'chaos/report' },
    keep: { type: 'boolean', default: false },
    sealed: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
  },
})

const MINUTE_MS = 60_000

function mode(name: string, text: string): 'sync' | 'async' {
  if (text === 'sync' || text === 'async') return text
  throw new Error(`--${name} must be sync or async`)
}

function workload(): WorkloadName {
  if (isWorkload(values.workload)) return values.workload
  throw new Error(`--workload must be one of ${Object.keys(workloads).join(', ')}`)
}

function count(name: string, text: string): number {
  const value = Number(text)
  if (text !== '' && Number.isFinite(value) && value >= 0) return value
  throw new Error(`--${name} must be a number`)
}

function chosen(): typeof scenarios {
  const { scenario: named = values.smoke ? smoke : [], family: families = [] } = values
  const unknown = named.find((name) => !scenarios.some((one) => one.name === name))
  if (unknown !== undefined) throw new Error(`no scenario ${unknown}; --list names them`)
  const isAll = named.length === 0 && families.length === 0
  const asked = scenarios.filter(({ name, family }) => isAll || named.includes(name) || families.includes(family))
  const now = asked.filter(({ name, isLong = false }) => !isLong || values.long || named.includes(name))
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

async function run(): Promise<readonly Result[]> {
  const rounds = count('rounds', values.rounds)
  const minutes = count('minutes', values.minutes)
  const results: Result[] = []
  for (const scenario of chosen()) {
    const request: RunRequest = {
      scenario,
      workload: workload(),
      mode: scenario.mode ?? {
        flush: mode('flush', values.flush),
        replication: mode('replication', values.replication),
      },
      ms: minutes > 0 ? minutes * MINUTE_MS : Infinity,
      maxRounds: minutes > 0 ? Infinity : rounds,
      seed: values.seed === undefined ? Math.floor(performance.timeOrigin) % 1_000_000 : count('seed', values.seed),
      ratePerSecond: count('rate', values.rate),
      acks: count('acks', values.acks),
      keep: values.keep,
      look,
    }
    const isSealed = scenario.ownNamespaces === true && !values.sealed && scenario.cannot?.() === undefined
    const result = isSealed ? await runSealed(request) : await runScenario(request)
    say(result)
    results.push(result)
    writeFileSync(`${values.out}.json`, `${JSON.stringify(results, null, 1)}\n`)
    writeFileSync(`${values.out}.html`, page(results))
  }
  return results
}

if (values.list) {
  for (const { name, family, number, hypothesis } of scenarios)
    console.log(`${name} (${family}; ${number}): ${hypothesis}`)
} else {
  const results = await run()
  if (values.record) addToTally(results)
  const sum = (outcome: Result['outcome']): number => results.filter((one) => one.outcome === outcome).length
  console.log(`report: ${values.out}.html`)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
  process.exit(sum('failed') === 0 ? 0 : 1)
}
