/** Seeds that failed once. A line: the options that give the seed, `#`, and what it found. */
import { appendFileSync, readFileSync } from 'node:fs'
import { readOptions, type Options } from './options.ts'

export interface KeptSeed {
  readonly line: string
  readonly options: Options
}

export function readKeptSeeds(file: string | URL): readonly KeptSeed[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('--'))
    .map((line) => {
      const options = readOptions((line.split('#')[0] ?? '').trim().split(/\s+/))
      if (options === 'help' || options.seed === undefined) throw new TypeError(`no seed in: ${line}`)
      return { line, options }
    })
}

/** Keeps a seed, once. */
export function keepSeed(file: string, options: string, found: string): void {
  if (readKeptSeeds(file).some(({ line }) => line.startsWith(`${options} `))) return
  appendFileSync(file, `${options} # ${found.split('\n')[0]}\n`)
}
