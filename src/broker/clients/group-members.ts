/**
 * The members of a consumer group by connection. A client may be a member over several connections; whether *it* came or
 * went, and the list of all clients, are asked for with every heartbeat and every rebalancing: both cost nothing here
 * that grows with the group.
 */
import { createHash } from 'node:crypto'
import type { Member } from './clients.ts'

/** Digests are sums of as many bits: whole numbers that stay exact. */
const DIGEST_BYTES = 6
const DIGEST_RANGE = 2 ** (8 * DIGEST_BYTES)

export class GroupMembers {
  readonly #byPlace = new Map<string, Member>()
  /** Client id → connections. */
  readonly #connections = new Map<string, number>()
  /** Undefined: a client came or went since it was asked for. */
  #sortedIds: readonly string[] | undefined
  #digest = 0

  /** Connections, not clients. */
  get size(): number {
    return this.#byPlace.size
  }

  has(place: string): boolean {
    return this.#byPlace.has(place)
  }

  values(): Iterable<Member> {
    return this.#byPlace.values()
  }

  entries(): Iterable<readonly [place: string, member: Member]> {
    return this.#byPlace.entries()
  }

  /** True: the client was no member before. */
  set(place: string, member: Member): boolean {
    const { clientId } = member
    if (this.#byPlace.get(place)?.clientId === clientId) {
      this.#byPlace.set(place, member)
      return false
    }
    this.delete(place)
    this.#byPlace.set(place, member)
    const connections = this.#connections.get(clientId) ?? 0
    this.#connections.set(clientId, connections + 1)
    if (connections > 0) return false
    this.#sortedIds = undefined
    this.#digest = (this.#digest + digestOf(clientId)) % DIGEST_RANGE
    return true
  }

  /** True: that was the client's last connection. */
  delete(place: string): boolean {
    const member = this.#byPlace.get(place)
    if (member === undefined) return false
    this.#byPlace.delete(place)
    const left = (this.#connections.get(member.clientId) ?? 1) - 1
    if (left > 0) {
      this.#connections.set(member.clientId, left)
      return false
    }
    this.#connections.delete(member.clientId)
    this.#sortedIds = undefined
    this.#digest = (this.#digest - digestOf(member.clientId) + DIGEST_RANGE) % DIGEST_RANGE
    return true
  }

  /** Each client once, in order. The same array until one comes or goes. */
  clientIds(): readonly string[] {
    this.#sortedIds ??= [...this.#connections.keys()].sort()
    return this.#sortedIds
  }

  /** The same as long as `clientIds` gives the same, on every node; however many there are, it costs nothing to ask. */
  get digest(): string {
    return this.#digest.toString(36)
  }
}

function digestOf(clientId: string): number {
  return createHash('sha1').update(clientId).digest().readUIntBE(0, DIGEST_BYTES)
}
