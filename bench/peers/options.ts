/** The command line of the comparisons. */
import { parseArgs } from 'node:util'

export const USAGE = `npm run bench:peers -- [options]

  --only NAME        this comparison; several with "," between them or by repetition (default: all)
  --pairs N          so many rounds; default: 3, up to 9 where a ratio is close to what it is to reach
  --quick            one round of short runs, to see that it works; its figures are not to be published
  --dir DIR          where the folders of the servers are made (default: the system's temporary folder)
  --json FILE        write the results there
  --write-readme     keep the results in bench/results.json, and put them into bench/README.md and README.md`

export interface Options {
  readonly only: readonly string[]
  readonly rounds: number | undefined
  readonly quick: boolean
  readonly dir: string | undefined
  readonly json: string | undefined
  readonly writeReadme: boolean
}

/** Throws with one line that says what is allowed. */
export function readOptions(args: readonly string[], names: readonly string[]): Options | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string', multiple: true },
      pairs: { type: 'string' },
      quick: { type: 'boolean', default: false },
      dir: { type: 'string' },
      json: { type: 'string' },
      'write-readme': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return 'help'
  const only = values.only?.flatMap((list) => list.split(',')).map((name) => name.trim()) ?? names
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`there is no comparison ${unknown}; there are ${names.join(', ')}`)
  const rounds = values.pairs === undefined ? undefined : Number(values.pairs)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0 && rounds <= 99)) {
    throw new Error('--pairs is a number from 1 to 99')
  }
  const { quick, dir, json } = values
  const writeReadme = values['write-readme']
  if (quick && writeReadme) throw new Error('--quick runs are not published: leave out --quick or --write-readme')
  return { only, rounds, quick, dir, json, writeReadme }
}
