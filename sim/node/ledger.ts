/**
 * What clients were told, and what follows from it. Verifies at once:
 *   - a place (topic, queue, queueOffset) holds one message for ever, whoever sees it (I2);
 *   - a send that began after another was acknowledged lies behind it in the same queue (I3);
 *   - what is read is what was sent, byte for byte (I10).
 * And in the end, of what every replica holds: nothing acknowledged is lost (I1), nothing is there twice but sends that
 * were undecided (I7). What was acknowledged while the group was not surely in sync × sync may be lost, if the group says
 * so and within the bound it says (I9); only what was read is held to, and in async flush not even that, when elections
 * stood on logs in doubt. Not verified: when a message must have been acknowledged to be among the lost ones.
 */
import { Violation } from '../world/violation.ts'
import type { DeclaredLoss } from './declared-loss.ts'
import type { Holding } from './holding.ts'
import type { ModeWatch } from './mode-watch.ts'

export interface Sent {
  readonly id: string
  readonly bytes: number
  readonly beganMs: number
  /** Of the mode it began in (`ModeWatch.strictEpoch`). */
  readonly epoch: number | undefined
  outcome: 'pending' | 'acknowledged' | 'failed' | 'undecided'
  /** Acknowledged in sync × sync. */
  isLasting: boolean
  mayBeTwice: boolean
  place: string | undefined
}

interface Highest {
  queueOffset: number
  ackedMs: number
}

export class Ledger {
  readonly #modes: Pick<ModeWatch, 'strictEpoch' | 'wasAsync'>
  readonly sent = new Map<string, Sent>()
  readonly #places = new Map<string, string>()
  #isClosed = false
  /** Of each queue: lasting sends in the order of their acknowledgement, as a rising front. */
  readonly #fronts = new Map<string, Highest[]>()
  /** Allowed if an election stood on logs in doubt, which is known in the end. */
  #doubted: Violation | undefined

  constructor(modes: Pick<ModeWatch, 'strictEpoch' | 'wasAsync'>) {
    this.#modes = modes
  }

  get acknowledged(): number {
    return [...this.sent.values()].filter(({ outcome }) => outcome === 'acknowledged').length
  }

  began(id: string, nowMs: number, bytes: number): Sent {
    const epoch = this.#modes.strictEpoch
    const sent: Sent = {
      id,
      bytes,
      beganMs: nowMs,
      epoch,
      outcome: 'pending',
      isLasting: false,
      mayBeTwice: false,
      place: undefined,
    }
    this.sent.set(id, sent)
    return sent
  }

  acked(sent: Sent, queue: string, queueOffset: number, nowMs: number): void {
    sent.outcome = 'acknowledged'
    sent.place = `${queue}/${queueOffset}`
    sent.isLasting = sent.epoch !== undefined && sent.epoch === this.#modes.strictEpoch
    // Acknowledged by the leader alone, it may give way to another until it is committed, which is when it is seen.
    if (!sent.isLasting) return
    this.saw(queue, queueOffset, sent.id)
    const front = this.#fronts.get(queue) ?? []
    const before = front.findLast(({ ackedMs }) => ackedMs < sent.beganMs)
    if (before !== undefined && before.queueOffset > queueOffset) {
      throw new Violation(
        'order',
        `${sent.id} lies at ${sent.place}, before ${before.queueOffset}, acknowledged before it was sent`,
      )
    }
    if (queueOffset > (front.at(-1)?.queueOffset ?? -1)) front.push({ queueOffset, ackedMs: nowMs })
    this.#fronts.set(queue, front)
  }

  /** Replicas are about to be read: what comes and is seen from now on need not be in what they held then. */
  close(): void {
    this.#isClosed = true
  }

  /** Somebody reads the message `id` at that place. */
  saw(queue: string, queueOffset: number, id: string): void {
    if (!this.sent.has(id)) throw new Violation('content', `${queue}/${queueOffset} holds ${id}, which nobody sent`)
    const place = `${queue}/${queueOffset}`
    const other = this.#places.get(place)
    if (!this.#isClosed) this.#places.set(place, id)
    if (other === undefined || other === id) return
    const violation = new Violation('place', `${place} holds ${other} and then ${id}`)
    if (!this.#modes.wasAsync.flush || this.sent.get(other)?.isLasting === true) throw violation
    this.#doubted ??= violation
  }

  /**
   * `held` is what one replica holds in the end; `declared` what the group says it lost.
   * Returns what was acknowledged and is not there, as it may be.
   */
  holds(replica: string, held: Holding, declared: DeclaredLoss): readonly Sent[] {
    if (this.#doubted !== undefined && !declared.isInDoubt) throw this.#doubted
    const times = new Map<string, number>()
    for (const id of held.ids) times.set(id, (times.get(id) ?? 0) + 1)
    const lost: Sent[] = []
    for (const sent of this.sent.values()) {
      const count = times.get(sent.id) ?? 0
      if (sent.outcome === 'failed' && count > 0) {
        throw new Violation('refused', `${replica} holds ${sent.id}, which was certainly not stored`)
      }
      if (count > 1 && sent.outcome === 'acknowledged' && !sent.mayBeTwice) {
        throw new Violation('twice', `${replica} holds ${sent.id} ${count} times, and its send was never undecided`)
      }
      if (sent.outcome === 'acknowledged' && !held.mayHold(sent.place ?? '', sent.id)) lost.push(sent)
    }
    this.#mayLose(replica, lost, declared)
    for (const [place, id] of declared.isInDoubt ? [] : this.#places) {
      if (!held.mayHold(place, id)) throw new Violation('place', `${replica} does not hold ${id}, seen at ${place}`)
    }
    return lost
  }

  #mayLose(replica: string, lost: readonly Sent[], declared: DeclaredLoss): void {
    const bytes = lost.reduce((sum, sent) => sum + sent.bytes, 0)
    const isDeclared = declared.isInDoubt || (declared.maxBytes > 0 && this.#modes.wasAsync.replication)
    const wrong = lost.find(({ isLasting }) => isLasting) ?? (isDeclared ? undefined : lost[0])
    if (wrong !== undefined) {
      throw new Violation('loss', `${replica} does not hold ${wrong.id}, acknowledged at ${wrong.place}`)
    }
    if (bytes <= declared.maxBytes) return
    throw new Violation('bound', `${bytes} acknowledged bytes are lost, and the group declared ${declared.maxBytes}`)
  }
}
