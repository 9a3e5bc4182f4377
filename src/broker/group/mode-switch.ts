/**
 * What the group's mode means for this node: a leader tells Raft what must be true of an entry before it is committed, and
 * a node whose file says something else than the log says so, once.
 *
 * The order of a change, seen from the entry m that brings it:
 *   to sync flush    the leader asks for durability from m on when it *proposes* m (`Proposals`), so m is committed once
 *                    everything up to it is on the media of a quorum: nothing acknowledged behind m stands on less
 *   to async flush   the leader lets go when it has *applied* m: everything up to m is durable on a quorum
 *   replication      counts when m is applied, for what is acknowledged from then on
 * A new leader asks for durability until it has applied an entry of its own, and with it every change before.
 */
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { FlushDemand } from '../../raft/flush-rule.ts'
import type { GroupMode, Mode } from './group-mode.ts'
import { modeCommands } from './group-mode.ts'
import type { Leadership, Proposals } from '../needs.ts'

export interface ModeSwitchNeeds {
  readonly table: GroupMode
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly replica: { demand(demand: FlushDemand): void }
  readonly proposals: Pick<Proposals, 'command'>
  /** The mode of a group that has none, when this node leads it. */
  readonly first: Mode
  /** What this node's file says; a key that it leaves out has no opinion. */
  readonly file: Partial<Mode>
  /** Whether async flush turns to sync while no further member can be spared. */
  readonly flushWhenPeerDown: boolean
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
}

const FORM_AGAIN_MS = 1000

export class ModeSwitch {
  readonly #need: ModeSwitchNeeds
  #warnedOf = ''
  #isForming = false

  constructor(need: ModeSwitchNeeds) {
    this.#need = need
  }

  /** The mode was changed, or leadership was. */
  settle(): void {
    const { table, leadership, replica, flushWhenPeerDown } = this.#need
    const mode = table.current
    if (mode === undefined) return this.#form()
    if (leadership.isReady) {
      replica.demand(mode.flush === 'sync' ? 'durable' : flushWhenPeerDown ? 'writtenWhileWhole' : 'written')
    }
    this.#warn(mode)
  }

  /** Changes the mode of the group; resolves when it counts. Errors as `Proposals.command`. */
  async change(to: Partial<Mode>): Promise<void> {
    await this.#need.proposals.command(modeCommands.set(to))
  }

  /** A leader gives a group that has no mode the one in its file. Until then the group is strict in everything. */
  #form(): void {
    const { leadership, proposals, first, clock } = this.#need
    if (!leadership.isReady || this.#isForming) return
    this.#isForming = true
    const again = (): void => {
      this.#isForming = false
      this.settle()
    }
    // Refused while a node of the group does not know the table: asked again, by whoever leads then.
    proposals.command(modeCommands.form(first)).then(again, () => clock.after(FORM_AGAIN_MS, again))
  }

  #warn(mode: Mode): void {
    const { file, log } = this.#need
    const differs = (['flush', 'replication'] as const).filter(
      (key) => file[key] !== undefined && file[key] !== mode[key],
    )
    const text = differs.map((key) => `${key} is ${mode[key]}, and ${String(file[key])} in this node's file`).join('; ')
    if (text === this.#warnedOf) return
    this.#warnedOf = text
    if (text !== '') log.warn({ mode, file }, `the group's mode is what its log says: ${text}`)
  }
}
