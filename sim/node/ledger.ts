/**
 * What clients were told, and what follows from it. Verifies at once:
 *   - a place (topic, queue, queueOffset) holds one message for ever, whoever sees it (I2);
 *   - a send that began after another was acknowledged lies behind it in the same queue (I3);
 *   - what is read is what was sent, byte for byte (I10).
 * And in the end, of what every replica holds: nothing acknowledged is lost (I1), nothing is there twice but sends that
 * were undecided (I7). With async replication acknowledged messages may be lost, and only what was read is held to.
 */
import { Violation } from '../world/violation.ts'

export interface Sent {
  readonly id: string
  readonly beganMs: number
  outcome: 'pending' | 'acknowledged' | 'failed' | 'undecided'
  mayBeTwice: boolean
  place: string | undefined
}

interface Highest {
  queueOffset: number
  ackedMs: number
}

export class Ledger {
  /** Whether what is acknowledged stays, whatever happens. */
  readonly #isLasting: boolean
  readonly sent = new Map<string, Sent>()
  readonly #places = new Map<string, string>()
  /** Of each queue: acknowledged sends in the order of their acknowledgement, as a rising front. */
  readonly #fronts = new Map<string, Highest[]>()

  constructor(isLasting: boolean) {
    this.#isLasting = isLasting
  }

  get acknowledged(): number {
    return [...this.sent.values()].filter(({ outcome }) => outcome === 'acknowledged').length
  }

  began(id: string, nowMs: number): Sent {
    const sent: Sent = { id, beganMs: nowMs, outcome: 'pending', mayBeTwice: false, place: undefined }
    this.sent.set(id, sent)
    return sent
  }

  acked(sent: Sent, queue: string, queueOffset: number, nowMs: number): void {
    sent.outcome = 'acknowledged'
    sent.place = `${queue}/${queueOffset}`
    // Acknowledged by the leader alone, it may give way to another until it is committed, which is when it is seen.
    if (!this.#isLasting) return
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

  /** Somebody reads the message `id` at that place. */
  saw(queue: string, queueOffset: number, id: string): void {
    if (!this.sent.has(id)) throw new Violation('content', `${queue}/${queueOffset} holds ${id}, which nobody sent`)
    const place = `${queue}/${queueOffset}`
    const other = this.#places.get(place)
    if (other !== undefined && other !== id) throw new Violation('place', `${place} holds ${other} and then ${id}`)
    this.#places.set(place, id)
  }

  /** `held` is what one replica holds in the end: every place with its message. */
  holds(replica: string, held: ReadonlyMap<string, string>): void {
    const times = new Map<string, number>()
    for (const id of held.values()) times.set(id, (times.get(id) ?? 0) + 1)
    for (const sent of this.sent.values()) {
      const count = times.get(sent.id) ?? 0
      if (this.#isLasting && sent.outcome === 'acknowledged' && held.get(sent.place ?? '') !== sent.id) {
        throw new Violation('loss', `${replica} does not hold ${sent.id}, acknowledged at ${sent.place}`)
      }
      if (sent.outcome === 'failed' && count > 0) {
        throw new Violation('refused', `${replica} holds ${sent.id}, which was certainly not stored`)
      }
      if (count > 1 && sent.outcome === 'acknowledged' && !sent.mayBeTwice) {
        throw new Violation('twice', `${replica} holds ${sent.id} ${count} times, and its send was never undecided`)
      }
    }
    for (const [place, id] of this.#places) {
      if (held.get(place) !== id) throw new Violation('place', `${replica} does not hold ${id}, seen at ${place}`)
    }
  }
}
