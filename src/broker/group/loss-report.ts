/**
 * Tells the group what an election may have lost. A new leader declares the bound; a node that led before and acknowledged
 * before the commit says what it had to set aside, once it has applied an entry of a later term, its own or another's: by
 * then its log is the group's (Raft, Log Matching). Until that is told it acknowledges nothing early (`EarlyGate`).
 */
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import type { Early } from '../../store/early-file.ts'
import type { LostFile } from '../../store/lost-messages.ts'
import { lossCommands } from '../tables/losses.ts'
import type { Leadership, Proposals } from '../needs.ts'

export interface LossReportNeeds {
  readonly ownId: string
  readonly leadership: Pick<Leadership, 'isReady' | 'term'>
  readonly proposals: Pick<Proposals, 'command'>
  readonly early: { readonly value: Early; save(value: Early): Promise<void> }
  readonly lost: { settle(isCut: () => boolean): Promise<void>; list(): Promise<LostFile[]> }
  /** Resolves when every cut of the log that was asked for is done. */
  readonly logSettled: () => Promise<void>
  /** What this election may have lost: bytes at most, and whether because of logs in doubt. Undefined: nothing. */
  readonly exposure: () => { readonly maxBytes: number; readonly inDoubt: boolean } | undefined
  readonly clock: Pick<Clock, 'after'>
  readonly log: Log
  readonly fatal: (error: Error) => void
}

const AGAIN_MS = 1000

export class LossReport {
  readonly #need: LossReportNeeds
  #declaredTerm = 0
  #isTelling = false
  #isClosed = false

  constructor(need: LossReportNeeds) {
    this.#need = need
  }

  /** Leadership changed. On a ready leader: declares what its election may have lost, once. */
  settle(): void {
    const { leadership, early, exposure, proposals, log, clock } = this.#need
    const { term } = leadership
    if (this.#isClosed || !leadership.isReady || this.#declaredTerm === term) return
    this.#declaredTerm = term
    const exposed = exposure()
    // Who led in the term before and leads again has lost nothing: its own log is the one.
    if (exposed === undefined || (!exposed.inDoubt && early.value.term === term - 1)) return
    const { maxBytes, inDoubt } = exposed
    log.warn(
      { term, maxBytes, inDoubt },
      `the election of term ${term} may have lost 0 to ${maxBytes} acknowledged bytes`,
    )
    proposals.command(lossCommands.open({ term, maxBytes, inDoubt })).catch(() => {
      clock.after(AGAIN_MS, () => {
        if (this.#declaredTerm === term) this.#declaredTerm = 0
        this.settle()
      })
    })
  }

  /** An entry of `term` was applied. */
  applied(term: number): void {
    const { early } = this.#need
    const { value } = early
    if (value.term === 0 || term <= value.term || this.#isTelling || this.#isClosed) return
    this.#isTelling = true
    this.#tell(value.term).then(
      () => {
        this.#isTelling = false
        // Not told, for want of a leader: again, without waiting for the next entry.
        if (early.value.term === value.term) this.applied(term)
      },
      (error: unknown) => this.#need.fatal(error instanceof Error ? error : new Error(String(error))),
    )
  }

  close(): void {
    this.#isClosed = true
  }

  async #tell(term: number): Promise<void> {
    const { ownId, proposals, early, lost, clock, log, logSettled } = this.#need
    try {
      await logSettled()
    } catch {
      // The log is closed, or failed, and stays so: whoever is told of that ends the node.
      this.close()
      return
    }
    await lost.settle(() => true)
    const messages = (await lost.list()).filter((file) => file.term === term).flatMap((file) => file.messages)
    const bytes = messages.reduce((sum, { body }) => sum + body.length, 0)
    const [from, to] = early.value.rotten ?? [0, 0]
    const rottenBytes = to - from
    log[messages.length > 0 ? 'warn' : 'info'](
      { term, messages: messages.length, bytes },
      messages.length > 0
        ? `${messages.length} messages that this node may have acknowledged in term ${term} were cut off and set aside (raftmq lost)`
        : `nothing that this node acknowledged in term ${term} was lost`,
    )
    if (rottenBytes > 0) {
      log.warn(
        { term, rottenBytes },
        `up to ${rottenBytes} bytes of term ${term} that were cut off had rotted: they are gone`,
      )
    }
    try {
      await proposals.command(lossCommands.seen(term, { node: ownId, messages: messages.length, bytes, rottenBytes }))
    } catch (error) {
      log.debug({ reason: errorMessage(error) }, 'the loss is told again')
      await new Promise<void>((resolve) => clock.after(AGAIN_MS, resolve))
      return
    }
    await early.save({ term: 0, all: false })
  }
}
