/** `load/bad-client.ts` as a process of its own: beside the load that it is to disturb, not within it. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Bench } from './scenario.ts'

export type BadClientName = 'never-reads' | 'pulls-much' | 'floods-one-way' | 'slow-consumer'

const program = fileURLToPath(new URL('./load/bad-client.js', import.meta.url))

/** Resolves with the process once it misbehaves. */
export async function startBadClient(
  bench: Bench,
  name: BadClientName,
  target: { readonly namesrv: string; readonly port: number; readonly topic: string },
): Promise<ChildProcess> {
  const args = [program, name, target.namesrv, String(target.port), target.topic]
  const child = bench.children.start(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  if (child.stdout !== null) await once(child.stdout, 'data')
  return child
}
