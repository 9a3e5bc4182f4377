/** Fills the log of a cluster with so many bytes. */
import { statfsSync } from 'node:fs'
import { systemClock } from '../../src/lib/clock.ts'
import type { NodeCluster } from '../node-cluster.ts'
import type { Bench } from '../scenario.ts'
import { saturating } from './loads.ts'

/** Filling gives up below this rate. */
const SLOWEST_BYTES_PER_SECOND = 5e6
const STEP_SECONDS = 5

/** Why there is no room for `bytes` in the folder, or undefined. */
export function noRoomFor(bytes: number, dir: string): string | undefined {
  const { bavail, bsize } = statfsSync(dir)
  const free = bavail * bsize
  return free >= bytes ? undefined : `needs ${gigabytes(bytes)} in ${dir}, there are ${gigabytes(free)}`
}

/** Stores messages of `bodyBytes` in `topic` until their bodies are `bytes`; gives how many there are. */
export async function fillTopic(
  bench: Bench,
  cluster: NodeCluster,
  need: { readonly topic: string; readonly bytes: number; readonly bodyBytes: number },
): Promise<number> {
  const { topic, bytes, bodyBytes } = need
  const endMs = systemClock.monotonicMs() + 10_000 + (bytes / SLOWEST_BYTES_PER_SECOND) * 1_000
  let messages = 0
  while (messages * bodyBytes < bytes) {
    if (systemClock.monotonicMs() > endMs) throw new Error(`only ${gigabytes(messages * bodyBytes)} were stored`)
    const workload = saturating('fill', { bodyBytes, warmSeconds: 0, seconds: bench.isQuick ? 1 : STEP_SECONDS })
    messages += (await cluster.loadOne(bench, workload, topic)).messages
    bench.say(`${gigabytes(messages * bodyBytes)} of ${gigabytes(bytes)} stored`)
  }
  return messages
}

export const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toFixed(2))} GB`
