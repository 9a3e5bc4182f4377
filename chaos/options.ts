/** The command line of the chaos suite. */
import { parseArgs } from 'node:util'
import type { Mode } from './scenario.ts'
import { scenarios, smoke } from './scenarios/index.ts'
import type { WorkloadName } from './traffic.ts'
import { isWorkload, workloads } from './workloads.ts'

export const USAGE = `npm run chaos -- [options]

  --scenario NAME           this scenario; several by repetition (default: all)
  --family NAME             the scenarios of this family; several by repetition
  --smoke                   one of each family, as \`.ci/run\` does
  --long                    scenarios of ten minutes and more, too; without it they run when they are named
  --list                    names the scenarios and what each expects, and runs none
  --rounds N                rounds of each scenario (1)
  --minutes N               how long each scenario goes on, instead of rounds
  --flush sync|async        the mode of the group (sync)
  --replication sync|async  likewise (sync)
  --workload NAME           whose clients: ${Object.keys(workloads).join(', ')} (own)
  --seed N                  what is drawn in a scenario (drawn, and named in the report)
  --rate N                  sends a second (2000)
  --acks N                  acknowledged before each fault and after it (500)
  --out PATH                the report, .json and .html (chaos/report)
  --keep                    folders with logs, history and stores stay; those of a failure stay anyway
  --record                  adds to chaos/tally.json and docs/testing.md`

export interface Options {
  /** With no scenario and no family named, all are meant. */
  readonly scenarios: readonly string[]
  readonly families: readonly string[]
  readonly long: boolean
  readonly list: boolean
  readonly rounds: number
  /** Undefined: so many rounds. */
  readonly minutes: number | undefined
  readonly mode: Mode
  readonly workload: WorkloadName
  readonly seed: number | undefined
  readonly ratePerSecond: number
  readonly acks: number
  readonly out: string
  readonly keep: boolean
  readonly record: boolean
  /** It was started by `runSealed`, inside the namespaces. */
  readonly sealed: boolean
}

const modes = ['sync', 'async'] as const
const names = scenarios.map(({ name }) => name)
const families = [...new Set(scenarios.map(({ family }) => family))]

/** Throws with one line that says what is allowed. */
export function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', multiple: true },
      family: { type: 'string', multiple: true, default: [] },
      smoke: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      minutes: { type: 'string' },
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
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const { scenario: named = values.smoke ? smoke : [], long, list, out, keep, record, sealed } = values
  const unknown = named.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}; --list names them`)
  return {
    scenarios: named,
    families: values.family.map((name) => oneOf('family', name, families)),
    long,
    list,
    rounds: whole('rounds', values.rounds, 1),
    minutes: values.minutes === undefined ? undefined : minutesOf(values.minutes),
    mode: {
      flush: oneOf('flush', values.flush, modes),
      replication: oneOf('replication', values.replication, modes),
    },
    workload: oneOf('workload', values.workload, Object.keys(workloads).filter(isWorkload)),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed, 0),
    ratePerSecond: whole('rate', values.rate, 1),
    acks: whole('acks', values.acks, 0),
    out,
    keep,
    record,
    sealed,
  }
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((each) => each === value)
  if (found === undefined) throw new Error(`--${name} is one of ${known.join(', ')}, not ${value}`)
  return found
}

function whole(name: string, text: string, least: number): number {
  const value = Number(text)
  if (text !== '' && Number.isSafeInteger(value) && value >= least) return value
  throw new Error(`--${name} is a whole number from ${least}, not ${text}`)
}

function minutesOf(text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new Error(`--minutes is a number above 0, not ${text}`)
}
