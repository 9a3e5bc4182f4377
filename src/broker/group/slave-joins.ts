/**
 * Slaves of a master: each asks to be a learner of its group, and is given an id. An id belongs to one disk: a slave that
 * knows its id keeps it wherever it is reached, and one that comes with an empty disk gets a new one in the place of the
 * learner that was reached where it is.
 */
import type { MemberChange } from '../../raft/member-change.ts'
import { refusal } from '../errors.ts'
import type { MemberList } from './members.ts'

export interface SlaveJoinsNeeds {
  readonly members: {
    list(): MemberList
    change(change: MemberChange): Promise<void>
  }
  /** The cluster of the group. */
  readonly clusterId: () => string | null
  /** False for a member of a group that votes: nodes are added to that by an operator. */
  readonly isMaster: boolean
}

export interface Slave {
  /** Undefined for an empty disk. */
  readonly id: string | undefined
  readonly clusterId: string | undefined
  /** `host:port` where its master reaches it. */
  readonly place: string
}

/** Slaves that wait for each other's change: more are told to come again. */
const MAX_WAITING = 16

export class SlaveJoins {
  readonly #need: SlaveJoinsNeeds
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(need: SlaveJoinsNeeds) {
    this.#need = need
  }

  /**
   * Makes it a learner, or finds that it is; one after the other. Resolves with its id. Rejects with `BROKER_REMOVED` for
   * an id that is out for good, `BROKER_REFUSED`, `BROKER_BUSY`, and as `Members.change`.
   */
  async join(slave: Slave): Promise<string> {
    const { isMaster, clusterId } = this.#need
    if (!isMaster) throw refusal('BROKER_REFUSED', 'this group has members that vote: add nodes with raftmq member add')
    if (slave.clusterId !== undefined && slave.clusterId !== clusterId()) {
      throw refusal(
        'BROKER_REFUSED',
        `the slave holds a log of cluster ${slave.clusterId}, this is ${clusterId() ?? '?'}`,
      )
    }
    if (this.#waiting >= MAX_WAITING) throw refusal('BROKER_BUSY', `${this.#waiting} slaves are joining`)
    this.#waiting++
    const joined = this.#last.then(() => this.#join(slave))
    this.#last = joined.catch(() => undefined)
    try {
      return await joined
    } finally {
      this.#waiting--
    }
  }

  async #join({ id, place }: Slave): Promise<string> {
    const { members } = this.#need
    if (id !== undefined) {
      if (members.list().removed.includes(id)) throw refusal('BROKER_REMOVED', `${id} was removed, for good`)
      await members.change({ kind: 'move', id, place })
      return id
    }
    const before = members.list().members.find((row) => row.role === 'learner' && row.place === place)
    if (before !== undefined) await members.change({ kind: 'remove', id: before.id })
    const given = nextId(members.list())
    await members.change({ kind: 'add', id: given, place })
    return given
  }
}

/** Above every id that the group ever had. */
function nextId({ members, removed }: MemberList): string {
  const numbers = [...members.map(({ id }) => id), ...removed].map((id) => Number(id.slice(1)))
  return `n${Math.max(...numbers) + 1}`
}
