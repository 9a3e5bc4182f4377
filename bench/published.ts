/** Where figures are kept: `results.json`, and the pages that are made of it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCode } from '../src/lib/errors.ts'
import { root } from './command-line.ts'
import { numbersSection, resultsSection } from './pages.ts'
import { comparisons, resultNameOf } from './peers/comparisons.ts'
import { reportPage } from './report.ts'
import { formatResults, mergeResults, parseResults, type Result } from './results.ts'
import { scenarios } from './scenarios/index.ts'
import { replaceBetween } from './tables.ts'

const names = [...scenarios.map(({ name }) => name), ...comparisons.map(resultNameOf)]

const files = {
  results: join(root, 'bench/results.json'),
  page: join(root, 'bench/README.md'),
  frontPage: join(root, 'README.md'),
  report: join(root, 'bench/report.html'),
}

/** Puts results in the place of those of the same name, and writes the pages anew. Throws on figures of a quick run. */
export function publish(results: readonly Result[]): void {
  if (results.some(({ isQuick }) => isQuick)) throw new Error('figures of --quick runs are not published')
  writeFileSync(files.results, formatResults(mergeResults(readKnown(), results, names)))
  // What is written down is what can be read again: the figures of the file, with its rounding.
  const kept = readKnown()
  writeSection(files.page, 'results', resultsSection(kept))
  writeSection(files.frontPage, 'numbers', numbersSection(kept))
}

/** All that is known, the newest of each scenario, as a page with plots. Gives its path. */
export function writeReport(results: readonly Result[]): string {
  writeFileSync(files.report, reportPage(mergeResults(readKnown(), results, names)))
  return files.report
}

function writeSection(path: string, marker: string, text: string): void {
  writeFileSync(path, replaceBetween(readFileSync(path, 'utf8'), marker, text))
}

function readKnown(): readonly Result[] {
  try {
    return parseResults(readFileSync(files.results, 'utf8'))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return []
    throw error
  }
}
