/**
 * Sends that wait for a leader, or for a busy one to take more, *parked* by topic: they go on together when the route was
 * asked again or their pause is over, in the order in which they were sent.
 */
import { Alarm } from '../../lib/alarm.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Send } from './send.ts'

export interface ParkingsNeeds<Failure> {
  readonly clock: Clock
  /** Fires when the producer closes: nobody goes on any more. */
  readonly closing: AbortSignal
  /** Asks for the topic's route; why there is none to try, if there is none. */
  readonly refresh: (topic: string) => Promise<Failure | undefined>
  readonly goOn: (send: Send) => void
  /** There is no route to go on by. */
  readonly failed: (send: Send, failure: Failure) => void
}

interface Parking {
  sends: Send[]
  /** Some of them wait for the route; otherwise a pause is enough. */
  needsRoute: boolean
  /** Ends the pause that is under way. */
  pause: Alarm | undefined
}

export const PAUSE_MS = 50

export class Parkings<Failure> {
  readonly #needs: ParkingsNeeds<Failure>
  readonly #byTopic = new Map<string, Parking>()

  constructor(needs: ParkingsNeeds<Failure>) {
    this.#needs = needs
  }

  /** `needsRoute`: the route may be stale; otherwise the send goes on after a pause, its own (`backOff`) or the shortest. */
  add(send: Send, needsRoute: boolean): void {
    const { topic } = send.request
    const parking = this.#byTopic.get(topic)
    if (parking === undefined) {
      const fresh: Parking = { sends: [send], needsRoute, pause: undefined }
      this.#byTopic.set(topic, fresh)
      void this.#recover(topic, fresh)
      return
    }
    parking.sends.push(send)
    parking.needsRoute ||= needsRoute
    parking.pause?.before(this.#pausedUntilMs([send]))
  }

  /** Takes out those that `isWanted`. */
  take(isWanted: (send: Send) => boolean): Send[] {
    return [...this.#byTopic.values()].flatMap((parking) => {
      const taken = parking.sends.filter(isWanted)
      if (taken.length > 0) parking.sends = parking.sends.filter((send) => !isWanted(send))
      return taken
    })
  }

  /** When the time of the first of them is over; infinity where nobody is parked. */
  get firstDeadlineMs(): number {
    let firstMs = Number.POSITIVE_INFINITY
    for (const { sends } of this.#byTopic.values())
      for (const { deadlineMs } of sends) firstMs = Math.min(firstMs, deadlineMs)
    return firstMs
  }

  /** Until nobody is parked: refresh the route, or pause; then let everybody try again. */
  async #recover(topic: string, parking: Parking): Promise<void> {
    const { clock, closing, refresh, goOn, failed } = this.#needs
    while (parking.sends.length > 0 && !closing.aborted) {
      const { needsRoute } = parking
      parking.needsRoute = false
      const failure = needsRoute ? await refresh(topic) : await this.#pause(parking)
      const nowMs = clock.monotonicMs()
      const sends = parking.sends.filter((send) => pausedUntilMs(send) <= nowMs).sort((a, b) => a.order - b.order)
      parking.sends = parking.sends.filter((send) => pausedUntilMs(send) > nowMs)
      for (const send of sends) {
        if (failure === undefined) goOn(send)
        else failed(send, failure)
      }
    }
    this.#byTopic.delete(topic)
  }

  /** Until the first of them may go on; a newcomer may end it earlier. */
  #pause(parking: Parking): Promise<undefined> {
    return new Promise((resolve) => {
      parking.pause = new Alarm(this.#needs.clock, () => {
        parking.pause = undefined
        resolve(undefined)
      })
      parking.pause.before(this.#pausedUntilMs(parking.sends))
    })
  }

  #pausedUntilMs(sends: readonly Send[]): number {
    let untilMs = Number.POSITIVE_INFINITY
    for (const send of sends) untilMs = Math.min(untilMs, pausedUntilMs(send))
    const nowMs = this.#needs.clock.monotonicMs()
    // Whole pauses: those whose time comes about together go on in one turn, and share what it writes.
    return nowMs + Math.max(1, Math.ceil((untilMs - nowMs) / PAUSE_MS)) * PAUSE_MS
  }
}

function pausedUntilMs({ backOff }: Send): number {
  return backOff?.untilMs ?? Number.NEGATIVE_INFINITY
}
