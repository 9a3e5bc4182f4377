/** Plants a mutant in a copy of a tree: of the sources, or of what is built from them. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './table.ts'

export interface Plot {
  /** The tree, `src` above all. */
  readonly tree: string
  /** Its parts that are copied. */
  readonly parts: readonly string[]
  /** Where to: replaced, if it is there. */
  readonly folder: string
  readonly ending: '.ts' | '.js'
}

export function plant(mutant: Mutant, { tree, parts, folder, ending }: Plot): void {
  rmSync(folder, { recursive: true, force: true })
  for (const part of parts) cpSync(join(tree, part), join(folder, part), { recursive: true })
  const file = join(folder, 'src', `${mutant.file}${ending}`)
  writeFileSync(file, planted(mutant, readFileSync(file, 'utf8')))
}

/** The text with the fault in it. Throws where a place is not there, or not the only one. */
export function planted(mutant: Mutant, text: string): string {
  let result = text
  for (const { find, replace } of mutant.and === undefined ? [mutant] : [mutant, mutant.and]) {
    if (result.split(find).length !== 2)
      throw new Error(`mutant "${mutant.name}": "${find}" is not in ${mutant.file} once`)
    result = result.replace(find, () => replace)
  }
  return result
}
