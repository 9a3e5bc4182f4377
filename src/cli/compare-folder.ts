/** The folder of a comparison: `compare.json` with all results so far, and `compare.html` and `compare.md` made of it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { page } from '../compare/page.ts'
import { parametersText, sameParameters, type Parameters } from '../compare/plan.ts'
import { type Comparison, FORMAT } from '../compare/results.ts'
import { markdown } from '../compare/tables.ts'
import { defineErrors, errorCode } from '../lib/errors.ts'

export const compareErrors = defineErrors({
  COMPARE_FOLDER: {
    doc: 'The folder holds another comparison: with other parameters, of another version, or not readable.',
    retriable: false,
  },
})

/**
 * The comparison in `dir` that may be gone on with, or undefined where there is none.
 * @throws `COMPARE_FOLDER` where there is another one.
 */
export function readComparison(
  dir: string,
  asked: { readonly parameters: Parameters; readonly version: string },
): Comparison | undefined {
  const path = join(dir, 'compare.json')
  const found = parse(path)
  if (found === undefined) return undefined
  if (!sameParameters(found.parameters, asked.parameters)) {
    throw other(`${path} was made with ${parametersText(found.parameters)}, not ${parametersText(asked.parameters)}`)
  }
  if (found.version !== asked.version) {
    throw other(`${path} was made by version ${found.version}, not ${asked.version}`)
  }
  return found
}

/** Replaces what is in `dir`, so that there is always a whole one. */
export function saveComparison(dir: string, comparison: Comparison): void {
  const files = {
    'compare.json': `${JSON.stringify(comparison)}\n`,
    'compare.html': page(comparison),
    'compare.md': markdown(comparison),
  }
  for (const [name, text] of Object.entries(files)) {
    const path = join(dir, name)
    writeFileSync(`${path}.new`, text)
    renameSync(`${path}.new`, path)
  }
}

function parse(path: string): Comparison | undefined {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    // Written by `saveComparison` from a value of this type; what is not is found by its format.
    const comparison: Comparison = JSON.parse(text)
    if (comparison.format === FORMAT) return comparison
  } catch (error) {
    throw other(`${path} cannot be read`, error)
  }
  throw other(`${path} is not of this command`)
}

const other = (what: string, cause?: unknown): Error =>
  compareErrors.create('COMPARE_FOLDER', `${what}: --fresh starts anew, --out takes another folder`, cause)
