/** `npm run sim:mutants`: every mutant must be found within the seeds it is given, on a tree that is built. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { errorMessage } from '../src/lib/errors.ts'
import { replaceBetween } from '../bench/tables.ts'
import { markdownTable } from '../src/report/text.ts'
import { runCampaign } from './campaign.ts'
import type { Failure } from './chunk.ts'
import { plant } from './mutants/plant.ts'
import type { Mutant } from './mutants/mutant.ts'
import { mutants, seedsMax } from './mutants/table.ts'

const USAGE = `npm run sim:mutants -- [options]

  --only TEXT      mutants with this text in their name
  --scope NAME     mutants of this scope
  --survey N       runs N seeds of each, and says how many found it
  --write-page     puts the table into docs/testing.md`

const tree = fileURLToPath(new URL('../', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
const CHUNK_SEEDS = { core: 10, node: 2 } as const

interface Found {
  readonly mutant: Mutant
  readonly failures: readonly Failure[]
  readonly seeds: number
}

async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', default: '' },
      scope: { type: 'string', default: '' },
      survey: { type: 'string' },
      'write-page': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const chosen = mutants.filter(({ name, scope }) => name.includes(values.only) && scope.startsWith(values.scope))
  if (chosen.length === 0) throw new TypeError('no mutant is of this name and scope')
  const survey = values.survey === undefined ? undefined : Number(values.survey)
  if (survey !== undefined && !(Number.isSafeInteger(survey) && survey > 0)) {
    throw new TypeError(`--survey is a whole number from 1, not ${values.survey}`)
  }
  const found = await inParallel(chosen, (mutant) => hunt(mutant, survey))
  if (values['write-page']) writePage(found)
  const caught = found.filter(({ failures }) => failures.length > 0)
  console.log(`${caught.length} passed, ${found.length - caught.length} failed, 0 skipped`)
  return caught.length === found.length ? 0 : 1
}

/** Runs seeds until one finds the mutant; with `survey`, that many. */
async function hunt(mutant: Mutant, survey: number | undefined): Promise<Found> {
  // Under node_modules, so that packages are found from there.
  const folder = join(root, 'node_modules/.cache/raftmq', `mutant-${mutants.indexOf(mutant)}-${process.pid}`)
  const failures: Failure[] = []
  let seeds = 0
  try {
    plant(mutant, { tree, parts: ['src', 'sim'], folder, ending: '.js' })
    await runCampaign({
      worker: join(folder, 'sim/worker.js'),
      world: { scope: mutant.scope },
      from: 1,
      count: survey ?? seedsMax[mutant.scope],
      jobs: 1,
      chunkSeeds: CHUNK_SEEDS[mutant.scope],
      onChunk(report) {
        // A worker that ended, or had no memory left, says nothing of the mutant.
        failures.push(...report.failures.filter(({ rule }) => rule !== 'process'))
        seeds += report.seeds
        return survey !== undefined || failures.length === 0
      },
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  const [first] = failures
  const how = first === undefined ? `NOT found by ${seeds} seeds` : `seed ${first.seed}: ${first.rule}`
  console.log(`${mutant.name}: ${how}${survey === undefined ? '' : ` (${failures.length} of ${seeds} seeds)`}`)
  return { mutant, failures, seeds }
}

function writePage(found: readonly Found[]): void {
  const page = join(root, 'docs/testing.md')
  if (!existsSync(page)) throw new Error('there is no docs/testing.md')
  const rows = found.map(({ mutant, failures: [first], seeds }) => [
    mutant.name,
    mutant.known,
    mutant.scope,
    first === undefined ? `not by ${seeds} seeds` : `seed ${first.seed}`,
    first?.rule ?? '',
    mutant.script === undefined ? '' : `\`${mutant.script}\``,
  ])
  const head = ['planted fault', 'known from', 'scope', 'found by', 'as', 'and by the script']
  writeFileSync(page, replaceBetween(readFileSync(page, 'utf8'), 'mutants', markdownTable([head, ...rows])))
}

/** One after the other on each processor; results in the order of `items`. */
async function inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<readonly R[]> {
  const results: R[] = []
  let next = 0
  const run = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) {
      const item = items[at]
      if (item !== undefined) results[at] = await work(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(availableParallelism(), items.length) }, run))
  return results
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(errorMessage(error))
  process.exitCode = 1
}
