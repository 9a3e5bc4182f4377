/** Producers that are connected, by group and by client (RocketMQ ProducerManager). Volatile; a part of `Clients`. */
import type { Member } from './clients.ts'

export class Producers {
  /** By group, then by place. */
  readonly #groups = new Map<string, Map<string, Member>>()
  /** By client: where it was heard last, whatever the group. */
  readonly #byClient = new Map<string, Member>()
  readonly #keyOf: (member: Member) => string
  #count = 0

  /** `keyOf`: one key for each place. */
  constructor(keyOf: (member: Member) => string) {
    this.#keyOf = keyOf
  }

  /** Memberships of a client in a group. */
  get count(): number {
    return this.#count
  }

  groups(): string[] {
    return [...this.#groups.keys()]
  }

  ofGroup(group: string): Member[] | undefined {
    const members = this.#groups.get(group)
    return members === undefined ? undefined : [...members.values()]
  }

  byClient(clientId: string): Member | undefined {
    return this.#byClient.get(clientId)
  }

  join(group: string, member: Member): void {
    let members = this.#groups.get(group)
    if (members === undefined) this.#groups.set(group, (members = new Map()))
    const key = this.#keyOf(member)
    if (!members.has(key)) this.#count++
    members.set(key, member)
    this.#byClient.set(member.clientId, member)
  }

  remove(group: string, isGone: (member: Member) => boolean): void {
    const members = this.#groups.get(group)
    if (members === undefined) return
    const gone = [...members].filter(([, member]) => isGone(member))
    for (const [key] of gone) members.delete(key)
    this.#count -= gone.length
    if (members.size === 0) this.#groups.delete(group)
    for (const [key, member] of gone) this.#forget(member.clientId, key)
  }

  /** The client may still produce in another group, or over another connection. */
  #forget(clientId: string, key: string): void {
    const known = this.#byClient.get(clientId)
    if (known === undefined || this.#keyOf(known) !== key) return
    this.#byClient.delete(clientId)
    for (const members of this.#groups.values()) {
      for (const other of members.values()) if (other.clientId === clientId) this.#byClient.set(clientId, other)
    }
  }
}
