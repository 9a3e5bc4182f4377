/** What is compared: groups in each mode, and a single node. Pure. */

export type When = 'sync' | 'async'

export interface Setup {
  readonly nodes: number
  readonly flush: When
  /** Of a single node always sync: there is nobody to replicate to. */
  readonly replication: When
}

/** `kill`: `kill -9` of the node that leads. `power`: all nodes lose their power at once, and what was not synced with it. */
export type Fault = 'kill' | 'power'

/** Of the nodes of every setup (docs/options.md); equal to the broker's defaults. */
export const BOUNDS = { maxUnflushedMs: 500, maxUnreplicatedMs: 1_000 } as const

const WHENS: readonly When[] = ['sync', 'async']

/** Every mode of a group of `nodes`, and of one node beside it. */
export function setupsOf(nodes: number): readonly Setup[] {
  const alone = WHENS.map((flush): Setup => ({ nodes: 1, flush, replication: 'sync' }))
  if (nodes === 1) return alone
  const group = WHENS.flatMap((replication) => WHENS.map((flush): Setup => ({ nodes, flush, replication })))
  return [...group, ...alone]
}

export function setupName({ nodes, flush, replication }: Setup): string {
  return nodes === 1 ? `1 node, ${flush}` : `${nodes} nodes, ${flush} × ${replication}`
}

/** For the foot of a plot. */
export function shortName({ nodes, flush, replication }: Setup): string {
  return nodes === 1 ? `1: ${flush}` : `${flush}×${replication}`
}

/**
 * What a fault may cost of what was acknowledged (docs/durability.md): the messages of so many milliseconds before it.
 * 0: nothing.
 */
export function windowMs({ nodes, flush, replication }: Setup, fault: Fault): number {
  const unreplicated = nodes > 1 && replication === 'async' ? BOUNDS.maxUnreplicatedMs : 0
  // A process that dies leaves what it wrote in the page cache.
  const unflushed = fault === 'power' && flush === 'async' ? BOUNDS.maxUnflushedMs : 0
  return unreplicated + unflushed
}

/** When a send is acknowledged, in a few words. */
export function acknowledgedWhen({ nodes, flush, replication }: Setup): string {
  if (nodes === 1) return flush === 'sync' ? 'on its disk' : 'in its page cache'
  const where = flush === 'sync' ? 'on the disks' : 'in the page caches'
  if (replication === 'sync') return `${where} of a majority`
  return flush === 'sync' ? 'on the disk of the leader' : 'in the page cache of the leader'
}
