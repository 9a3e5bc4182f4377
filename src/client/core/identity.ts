/** Who this client is: the one file of the room that asks the machine. */
import { networkInterfaces } from 'node:os'
import { pid } from 'node:process'

export interface Identity {
  /** This machine's address, 4 bytes: goes into message ids. */
  readonly ip: Uint8Array
  readonly pid: number
  /** Numbers of the clients of this process, one after the other. */
  readonly nextClient: () => number
}

let clients = 0

function nextClient(): number {
  clients += 1
  return clients
}

export function machineIdentity(): Identity {
  return { ip: localIpv4(), pid, nextClient }
}

/**
 * `ip@pid#n[@instance]`: one per client object, because queues are shared out by client id. `born` sets apart two
 * processes that had the same pid one after the other.
 */
export function newClientId(identity: Identity, bornMs: number, instance: string | undefined): string {
  const host = identity.ip.join('.')
  return `${host}@${identity.pid}#${bornMs.toString(36)}${identity.nextClient()}${instance === undefined ? '' : `@${instance}`}`
}

function localIpv4(): Uint8Array {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) {
      if (family === 'IPv4' && !internal) return Uint8Array.from(address.split('.'), Number)
    }
  }
  return Uint8Array.of(127, 0, 0, 1)
}
