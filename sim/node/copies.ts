/**
 * Verifies at each acknowledgement of a send that enough machines held the message by then, as docs/durability.md says it:
 * durably in sync flush; in async flush at a moment at which the node had nothing unsynced that was older or more than its
 * bounds; a majority of them in sync replication, one in async replication or where the message waits for nobody. What a
 * machine held once counts, whatever became of it; an answer that was long on its way is held to nothing more.
 *
 * While the mode is about to change the weakest of all counts. Machines that never had a vote count, too.
 */
import { decodeOffsetMessageId } from '../../src/message/message-id.ts'
import { Violation } from '../world/violation.ts'
import type { Scheduler } from '../world/scheduler.ts'
import type { Machine } from './machine.ts'
import type { KnownModes, ModeWatch } from './mode-watch.ts'

/** A send that began. */
export interface Begun {
  readonly id: string
  readonly modes: KnownModes | undefined
  /** Whether the message waits for the others (`WAIT`). */
  readonly waits: boolean
}

export interface CopiesNeeds {
  readonly scheduler: Scheduler
  readonly modes: ModeWatch
  readonly machines: () => readonly Pick<Machine, 'writes'>[]
  /** How many the group begins with. */
  readonly voters: number
}

export class Copies {
  readonly #need: CopiesNeeds
  #voters: number

  constructor(need: CopiesNeeds) {
    this.#need = need
    this.#voters = need.voters
  }

  /** Fewest voters that there ever may have been. */
  get votersMin(): number {
    return this.#voters
  }

  /** The group may have so many voters from now on. */
  votersMayBe(voters: number): void {
    this.#voters = Math.min(this.#voters, voters)
  }

  began(id: string, { waits = true } = {}): Begun {
    return { id, waits, modes: this.#need.modes.known }
  }

  /** `offsetMessageId` as the broker's answer has it. */
  acknowledged({ id, modes, waits }: Begun, { offsetMessageId }: { readonly offsetMessageId: string }): void {
    const { machines, scheduler, modes: watch } = this.#need
    const isKnown = modes !== undefined && modes.epoch === watch.known?.epoch
    const isDurable = isKnown && modes.flush === 'sync'
    const needed = isKnown && modes.replication === 'sync' && waits ? Math.floor(this.#voters / 2) + 1 : 1
    const { offset } = decodeOffsetMessageId(offsetMessageId)
    const copies = machines().map(({ writes }) => writes.copyOf(id, offset))
    const held = copies.filter(({ durableMs, withinMs }) => (isDurable ? durableMs : withinMs) <= scheduler.nowMs)
    if (held.length >= needed) return
    const how = isDurable ? 'durably' : 'within the bounds of async flush'
    throw new Violation('held', `${id} is acknowledged, ${needed} must hold it ${how}, and ${held.length} do`)
  }
}
