/** Where and on what a result was measured: no figure is given without it. */
import { execFileSync } from 'node:child_process'
import { machineFacts } from '../src/cli/machine-facts.ts'
import type { MachineFacts } from '../src/report/machine.ts'

export interface Environment extends MachineFacts {
  /** Of the sources; `+` behind it: with changes that are not committed. */
  readonly commit: string
}

/** `dir`: where the scenarios write. */
export function environmentOf(root: string, dir: string): Environment {
  return { commit: commitOf(root), ...machineFacts(dir) }
}

function commitOf(root: string): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'package-lock.json')
    return `${git('rev-parse', '--short=10', 'HEAD')}${changed === '' ? '' : '+'}`
  } catch {
    return 'unknown'
  }
}
