/**
 * Verifies what can be seen from outside of the memory that nodes take: what is on its way from one to another and not read
 * there, whether the link is cut or its reader stands still, stays within the window of a leader (`raftMaxInflightBytes`);
 * what is acknowledged and not committed, as a node tells it, within `maxUnreplicatedBytes`.
 *
 * Not verified: caches and queues that no socket and no key of the runtime information (28) shows.
 */
import { Violation } from '../world/violation.ts'
import type { ClientHost } from './client-host.ts'
import type { Cluster } from './cluster.ts'
import { addressOf, PEER_PORT } from './machine.ts'
import { memoryBounds } from './node-options.ts'
import type { Link } from './simulated-socket.ts'

/** Beside the window: the append that closed it, heartbeats while a link is cut, what nodes ask each other, a reset. */
const BESIDE_BYTES = 65_536
const ASK_MS = 200

/** `bytes` were written to one end of a connection and not read at the other. */
export function expectWindow({ from, to, localPort, remotePort }: Link, bytes: number): void {
  const isPeer = localPort === PEER_PORT || remotePort === PEER_PORT
  if (!isPeer || bytes <= memoryBounds.raftMaxInflightBytes + BESIDE_BYTES) return
  throw new Violation('memory', `${bytes} bytes are on their way from ${from} to ${to}`)
}

/** Asks nodes what they hold, one after the other, for as long as the host lives. */
export async function watchNodes(cluster: Cluster, host: ClientHost): Promise<void> {
  for (;;) {
    const machine = cluster.machines[host.random.integer(0, cluster.machines.length - 1)]
    const rows = machine === undefined ? undefined : await askFor(host, addressOf(machine))
    const bytes = Number(rows?.get('raftmq.unreplicatedBytes') ?? 0)
    if (bytes > memoryBounds.maxUnreplicatedBytes) {
      cluster.fail(new Violation('memory', `${machine?.id} has acknowledged ${bytes} bytes that are not committed`))
    }
    await host.pause(ASK_MS)
  }
}

async function askFor(host: ClientHost, address: string): Promise<ReadonlyMap<string, string> | undefined> {
  return host.admin.runtimeInfo(address).catch(() => undefined)
}
