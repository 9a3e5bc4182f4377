/** The command line of the benchmarks. */
import { parseArgs } from 'node:util'

export const USAGE = `npm run bench -- [options]

  --only NAME        this scenario; several with "," between them or by repetition (default: all)
  --quick            short runs, to see that it works; their figures are not to be published
  --minutes N        how long the scenarios soak and saturation go on (default: 30)
  --dir DIR          where the folders of the nodes are made (default: the system's temporary folder)
  --json FILE        write the results there
  --from FILE        measure nothing, take the results of such a file
  --compare FILE     compare the scenario micro with a baseline (bench/baseline.json); exit code 1 when a part is slower
  --write-baseline   make the scenario micro the new bench/baseline.json
  --write-readme     keep the results in bench/results.json, and put them into bench/README.md and README.md`

export interface Options {
  readonly only: readonly string[]
  readonly quick: boolean
  readonly minutes: number
  readonly dir: string | undefined
  readonly json: string | undefined
  readonly from: string | undefined
  readonly compare: string | undefined
  readonly writeBaseline: boolean
  readonly writeReadme: boolean
}

/** Throws with one line that says what is allowed. */
export function readOptions(args: readonly string[], names: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '30' },
      dir: { type: 'string' },
      json: { type: 'string' },
      from: { type: 'string' },
      compare: { type: 'string' },
      'write-baseline': { type: 'boolean', default: false },
      'write-readme': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const only = values.only?.flatMap((list) => list.split(',')).map((name) => name.trim()) ?? names
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no scenario ${unknown}; there are ${names.join(', ')}`)
  const { quick, dir, json, from, compare } = values
  const minutes = Number(values.minutes)
  if (!(minutes > 0 && minutes <= 10_000)) throw new Error('--minutes is a number above 0')
  const writeBaseline = values['write-baseline']
  const writeReadme = values['write-readme']
  if (quick && (writeBaseline || writeReadme)) {
    throw new Error('--quick runs are not published: leave out --quick, or --write-readme and --write-baseline')
  }
  for (const [flag, isGiven] of [
    ['--write-baseline', writeBaseline],
    ['--compare', compare !== undefined],
  ] as const) {
    if (isGiven && !only.includes('micro')) throw new Error(`${flag} needs the scenario micro`)
  }
  return { only, quick, minutes, dir, json, from, compare, writeBaseline, writeReadme }
}
