/** What `npm run sim` and the lines of `seeds.txt` may say. */
import { parseArgs } from 'node:util'
import type { World } from './chunk.ts'
import { scopeNames, type Scope } from './scopes.ts'
import type { Mode, NodeCount } from './seed-run.ts'
import { formatNumbers, parseNumbers } from './world/step-numbers.ts'

export interface Options {
  readonly world: World
  /** One seed: it is run here, and its trace can be shown. */
  readonly seed: number | undefined
  readonly without: ReadonlySet<number>
  readonly showsTrace: boolean
  readonly seeds: number
  readonly from: number
  readonly jobs: number | undefined
  /** Goes on where the tally stands, adds to it, and writes the table of the page. */
  readonly isCampaign: boolean
}

export const USAGE = `npm run sim -- [options]

  --scope core|node       what is simulated (core)
  --seeds N               how many seeds (1000)
  --from N                the first of them (1)
  --seed N                this one, here, and the shortest run that shows what it shows
  --without 12,20-40      leaves out these steps of the seed
  --trace                 shows everything that happens in the seed
  --nodes 3|5             drawn from the seed where nothing is said
  --flush sync|async      likewise
  --replication sync|async
  --jobs N                worker processes (one a processor)
  --campaign              goes on where the last campaign ended, and adds to sim/tally.json and docs/testing.md`

/** Throws a `TypeError` that says what cannot be. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scope: { type: 'string', default: 'core' },
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      without: { type: 'string' },
      trace: { type: 'boolean', default: false },
      nodes: { type: 'string' },
      flush: { type: 'string' },
      replication: { type: 'string' },
      jobs: { type: 'string' },
      campaign: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  return {
    world: {
      scope: oneOf<Scope>('scope', values.scope, scopeNames),
      nodes: nodesOf(values.nodes),
      flush: modeOf('flush', values.flush),
      replication: modeOf('replication', values.replication),
    },
    seed: values.seed === undefined ? undefined : wholeOf('seed', values.seed),
    without: values.without === undefined ? new Set() : parseNumbers(values.without),
    showsTrace: values.trace,
    seeds: wholeOf('seeds', values.seeds),
    from: wholeOf('from', values.from),
    jobs: values.jobs === undefined ? undefined : wholeOf('jobs', values.jobs),
    isCampaign: values.campaign,
  }
}

/** The options that give this seed again. */
export function seedOptions(world: World, seed: number, without: ReadonlySet<number> = new Set()): string {
  const said = {
    scope: world.scope,
    nodes: world.nodes,
    flush: world.flush,
    replication: world.replication,
    seed,
    without: without.size === 0 ? undefined : formatNumbers(without),
  }
  return Object.entries(said)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `--${name} ${value}`)
    .join(' ')
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value)
  if (found === undefined) throw new TypeError(`--${name} is one of ${known.join(', ')}, not ${value}`)
  return found
}

function modeOf(name: string, value: string | undefined): Mode | undefined {
  return value === undefined ? undefined : oneOf<Mode>(name, value, ['sync', 'async'])
}

function nodesOf(value: string | undefined): NodeCount | undefined {
  if (value === undefined) return undefined
  return oneOf('nodes', value, ['3', '5']) === '3' ? 3 : 5
}

function wholeOf(name: string, value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 0) throw new TypeError(`--${name} is a whole number, not ${value}`)
  return number
}
