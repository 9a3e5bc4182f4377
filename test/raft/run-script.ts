/**
 * A script is blocks with an empty line between them: comments (#), one command, and after `----` what it made happen.
 */
import type { ReplicaClass } from '../../sim/core/simulation.ts'
import { ScriptedGroup } from './scripted-group.ts'

/** Runs the commands of `script`; returns it with what happens now. */
export async function runScript(script: string, Replica?: ReplicaClass): Promise<string> {
  const group = new ScriptedGroup(Replica)
  const blocks: string[] = []
  for (const block of script.trim().split(/\n\s*\n/)) {
    const head = (block.split(/^----$/m)[0] ?? '').trimEnd()
    const out: string[] = []
    for (const line of head.split('\n')) if (!line.startsWith('#') && line !== '') out.push(...(await group.run(line)))
    blocks.push(out.length === 0 ? head : `${head}\n----\n${out.join('\n')}`)
  }
  return `${blocks.join('\n\n')}\n`
}
