/** `npm run sim -- [options]`: runs seeds and says what they broke. See `docs/testing.md`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { errorMessage } from '../src/lib/errors.ts'
import { replaceBetween } from '../bench/tables.ts'
import { runCampaign } from './campaign.ts'
import { addReports, nothingYet, type ChunkReport } from './chunk.ts'
import { keepSeed, readKeptSeeds } from './kept-seeds.ts'
import { readOptions, seedOptions, USAGE, type Options } from './options.ts'
import { Progress } from './progress.ts'
import { scopes, type Scope } from './scopes.ts'
import { shrink } from './shrink.ts'
import { addToTally, readTally, tallyTables, writeTally } from './tally.ts'

/** `dist-dev/sim/` → the root of the checkout. */
const inRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const files = {
  worker: fileURLToPath(new URL('worker.js', import.meta.url)),
  seeds: inRoot('sim/seeds.txt'),
  tally: inRoot('sim/tally.json'),
  page: inRoot('docs/testing.md'),
}

/** Seeds of one message to a worker: a second or two of work. */
const chunkSeeds: Readonly<Record<Scope, number>> = { core: 50, node: 2 }
const shrinkRuns: Readonly<Record<Scope, number>> = { core: 400, node: 60 }
const FAILURES_SHOWN = 3
const TRACE_LINES_SHOWN = 60

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === 'help') {
    console.log(USAGE)
    return 0
  }
  if (options.seed !== undefined) return (await runOne(options, options.seed)) ? 0 : 1
  const report = await runMany(options)
  console.log(`${report.seeds - report.failures.length} passed, ${report.failures.length} failed, 0 skipped`)
  return report.failures.length === 0 ? 0 : 1
}

/** Here, in this process. A seed that fails is made as short as it gets. */
async function runOne({ world, without, showsTrace }: Options, seed: number): Promise<boolean> {
  const { scope, ...rest } = world
  const trace = showsTrace ? (line: string) => console.log(line) : undefined
  const request = { ...rest, seed, without, trace }
  const failed = await scopes[scope](request)
  const { violation, simulatedMs, commits, hash } = failed
  if (violation === undefined) {
    console.log(`seed ${seed}: all held for ${Math.round(simulatedMs)} ms, ${commits} entries committed, trace ${hash}`)
    return true
  }
  console.log(`seed ${seed} breaks ${violation.rule}: ${violation.message}`)
  const least = await shrink({ run: scopes[scope], request, failed, runsMax: shrinkRuns[scope] })
  const lines: string[] = []
  const again = await scopes[scope]({ ...request, without: least, trace: (line) => lines.push(line) })
  console.log(`\nThe shortest run that shows it, ${failed.steps - least.size} of ${failed.steps} steps, ends with:\n`)
  console.log(lines.slice(-TRACE_LINES_SHOWN).join('\n'))
  console.log(`\n${again.violation?.message ?? ''}\n\nnpm run sim -- ${seedOptions(world, seed, least)} --trace`)
  return false
}

async function runMany(options: Options): Promise<ChunkReport> {
  const { world, seeds, jobs, isCampaign } = options
  const { scope } = world
  let tally = readTally(files.tally)
  const from = isCampaign ? tally[scope].nextSeed : options.from
  const progress = new Progress({ what: `${scope} seeds`, count: seeds })
  const done = new Map<number, number>()
  let sum = nothingYet
  let nextSeed = from
  await runCampaign({
    worker: files.worker,
    world,
    from,
    count: seeds,
    jobs,
    chunkSeeds: chunkSeeds[scope],
    onChunk(report, first) {
      sum = addReports(sum, report)
      done.set(first, report.seeds)
      for (let more = done.get(nextSeed); more !== undefined; more = done.get(nextSeed)) nextSeed += more
      if (isCampaign) {
        // Chunks that another worker has ahead are in the sums; run again after an interruption, they count twice.
        tally = addToTally(tally, scope, report, nextSeed)
        writeTally(files.tally, tally)
      }
      for (const { seed, rule, message } of report.failures) {
        console.log(`${seedOptions(world, seed)} breaks ${rule}: ${message.split('\n')[0]}`)
      }
      progress.show(sum.seeds, sum.failures.length)
      return sum.failures.length < FAILURES_SHOWN
    },
  })
  progress.end()
  for (const { seed, rule, message } of sum.failures)
    keepSeed(files.seeds, seedOptions(world, seed), `${rule}: ${message}`)
  for (const { seed } of sum.failures.slice(0, FAILURES_SHOWN)) {
    if (sum.failures.find((each) => each.seed === seed)?.rule !== 'process') await runOne(options, seed)
  }
  const hours = (sum.simulatedMs / 3_600_000).toFixed(1)
  console.log(`${scope}: ${sum.seeds} seeds, ${hours} simulated hours, ${sum.leaders} leaders, ${sum.commits} entries`)
  if (isCampaign) writePage()
  return sum
}

function writePage(): void {
  const tables = tallyTables(readTally(files.tally), readKeptSeeds(files.seeds))
  writeFileSync(files.page, replaceBetween(readFileSync(files.page, 'utf8'), 'sim', tables))
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(errorMessage(error))
  process.exitCode = 1
}
