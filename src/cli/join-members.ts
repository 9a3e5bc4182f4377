/** Makes the nodes of a local cluster members of their groups where they are not: added, and promoted once filled. */
import { Admin } from '../client/admin/admin.ts'
import { sleep, type Clock } from '../lib/clock.ts'
import { errorMessage } from '../lib/errors.ts'
import { HOST, type NodePlan } from './cluster-plan.ts'

export interface JoinRequest {
  readonly plans: readonly NodePlan[]
  readonly namesrv: string
  readonly clock: Clock
  readonly say: (line: string) => void
}

const RETRY_MS = 1_000

/** Goes on in the background until every planned node is a voter, or was removed. */
export class Joining {
  readonly #request: JoinRequest
  readonly #admin: Admin
  /** Resolves when every planned node is a voter or was removed, or it was stopped. */
  readonly done: Promise<void>
  #isStopped = false

  constructor(request: JoinRequest) {
    this.#request = request
    this.#admin = new Admin({ namesrv: request.namesrv, clock: request.clock })
    this.done = this.#joinAll()
  }

  stop(): void {
    this.#isStopped = true
    this.#admin.close()
  }

  async #joinAll(): Promise<void> {
    const { plans, clock } = this.#request
    const groups = new Set(plans.filter(({ properties }) => properties.has('dLegerPeers')).map(({ broker }) => broker))
    for (const broker of groups) {
      while (!this.#isStopped && !(await this.#join(broker))) await sleep(clock, RETRY_MS)
    }
    this.#admin.close()
  }

  /** False: to be tried again, as its nodes may only be starting. */
  async #join(broker: string): Promise<boolean> {
    const { plans, say } = this.#request
    let name = ''
    try {
      const { members, removed } = await this.#admin.members(broker)
      const done = [...members.filter(({ role }) => role === 'voter').map(({ id }) => id), ...removed]
      for (const { id, ports } of plans.filter((plan) => plan.broker === broker && !done.includes(plan.id))) {
        if (this.#isStopped) return true
        name = `${broker} ${id}`
        await this.#admin.changeMembers(broker, { change: 'add', id, place: `${HOST}:${ports.peer}` })
        await this.#admin.changeMembers(broker, { change: 'promote', id })
        say(`${name} joined its group`)
      }
      return true
    } catch (error) {
      if (name !== '' && !this.#isStopped) say(`${name} did not join its group yet: ${errorMessage(error)}`)
      return false
    }
  }
}
