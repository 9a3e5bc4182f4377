/** One hand-over of leadership that somebody waits for: how it ended, as this node sees it. */
import { deferred, type Deferred } from '../lib/deferred.ts'
import type { RaftCore } from './core.ts'
import { raftErrors } from './errors.ts'
import type { Leader } from './leader.ts'
import type { NodeId } from './types.ts'

export class Handover {
  readonly #core: RaftCore
  readonly #to: NodeId
  readonly #deadlineMs: number
  readonly #done: Deferred<void> = deferred()

  constructor(core: RaftCore, to: NodeId, deadlineMs: number) {
    this.#core = core
    this.#to = to
    this.#deadlineMs = deadlineMs
  }

  /** Resolves once this node knows that `to` leads; rejects with `RAFT_TRANSFER_FAILED`. */
  get ended(): Promise<void> {
    return this.#done.promise
  }

  /** Returns true once it has ended. */
  look(nowMs: number): boolean {
    const { leading, leader } = this.#core
    if (leading === undefined && leader === this.#to) {
      this.#done.resolve()
      return true
    }
    const goesOn =
      leading === undefined ? leader === null && nowMs < this.#deadlineMs : leading.transferTarget === this.#to
    if (goesOn) return false
    this.#done.reject(raftErrors.create('RAFT_TRANSFER_FAILED', `${this.#to} did not take over in time`))
    return true
  }

  abandon(error: Error): void {
    this.#done.reject(error)
  }
}

/** Why leadership cannot be handed to `to` now: `RAFT_NOT_LEADER`, `RAFT_TRANSFERRING` or `RAFT_BAD_TARGET`. */
export function transferRefusal(leader: Leader | undefined, to: NodeId, isUnderWay: boolean): Error | undefined {
  if (leader === undefined) return raftErrors.create('RAFT_NOT_LEADER', 'this node does not lead')
  if (isUnderWay || leader.transferTarget !== undefined) {
    return raftErrors.create('RAFT_TRANSFERRING', `leadership is being handed over already`)
  }
  if (leader.canTransferTo(to)) return undefined
  return raftErrors.create('RAFT_BAD_TARGET', `${to} is not another filled voter of the group`)
}
