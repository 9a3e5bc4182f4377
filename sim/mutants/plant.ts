/** Plants a mutant in a copy of a tree: of the sources, or of what is built from them. */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Edit, Mutant } from './mutant.ts'

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
  for (const edit of editsOf(mutant)) {
    const file = join(folder, 'src', `${edit.file}${ending}`)
    writeFileSync(file, edited(mutant.name, edit, readFileSync(file, 'utf8')))
  }
}

export function editsOf(mutant: Mutant): readonly Edit[] {
  return mutant.and === undefined ? [mutant] : [mutant, mutant.and]
}

/** The text with the fault in it. Throws where the place is not there, or not the only one. */
export function edited(name: string, { file, find, replace }: Edit, text: string): string {
  if (text.split(find).length !== 2) throw new Error(`mutant "${name}": "${find}" is not in ${file} once`)
  return text.replace(find, () => replace)
}
