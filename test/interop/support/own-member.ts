import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { linesOf, stop } from './java.ts'
import { parseJson } from './json.ts'
import { checkout } from './places.ts'

export interface Handled {
  readonly t: number
  readonly body: string | null
  readonly queueId: number
  readonly queueOffset: number
}

export interface OwnMember {
  readonly handled: readonly Handled[]
  close(): Promise<void>
}

/** RaftMQ's own ordered consumer in a process of its own. */
export function startOwnMember(namesrv: string, topic: string, group: string): OwnMember {
  const program = join(checkout, 'test/interop/node/orderly-member.mjs')
  const child = spawn(process.execPath, [program, namesrv, topic, group], { stdio: ['ignore', 'pipe', 'inherit'] })
  const handled: Handled[] = []
  linesOf(child, (line) => handled.push(parseJson<Handled>(line)))
  return { handled, close: () => stop(child) }
}
