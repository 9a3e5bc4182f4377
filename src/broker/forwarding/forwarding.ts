/**
 * A request that only the leader may answer, met by a node that does not lead (stock clients poll routes every 30 s):
 * it waits a little for a leader to be known, is sent on once, and the leader's answer is returned. What a leader
 * refuses because it does not lead any more was not done, and is tried at the next one until the time is over.
 *
 * A request that reached a leader and got no answer may or may not be done: a send is answered UNKNOWN, everything else
 * is safe to repeat and is repeated.
 */
import type { Clock } from '../../lib/clock.ts'
import { errorCode } from '../../lib/errors.ts'
import type { Call, Reply } from '../../remoting/route.ts'
import type { LeaderLocator, LeaderPlace } from './leader-locator.ts'
import { refusal } from '../errors.ts'
import type { ServiceAnswer } from '../peers/peer-link.ts'
import { encodeForward, readForwardAnswer } from './forward-codec.ts'
import { errorReply } from '../response-codes.ts'

export interface ForwardingNeeds {
  readonly ownId: string
  readonly locator: LeaderLocator
  readonly peers: {
    request(
      peer: string,
      method: string,
      meta: unknown,
      payload: readonly Uint8Array[],
      timeoutMs: number,
      done: (error: Error | undefined, answer: ServiceAnswer | undefined) => void,
    ): void
  }
  /** Handles the call on this node after all: it leads now. */
  readonly handleHere: (call: Call) => void
  readonly clock: Clock
  readonly options: ForwardingOptions
}

export interface ForwardingOptions {
  /** How long a request may look for its leader and wait for its answer, all in all. Below the stock client's 3 s. */
  readonly withinMs: number
  /** Requests being forwarded; more are answered busy. */
  readonly maxInFlight: number
  readonly maxInFlightBytes: number
}

interface Journey {
  readonly call: Call
  readonly deadlineMs: number
  tried: LeaderPlace | undefined
}

export const FORWARD_METHOD = 'forward'
/** A leader that refuses because it is none is asked again after this long, when nothing new was heard meanwhile. */
const RETRY_MS = 50

export class Forwarding {
  readonly #need: ForwardingNeeds
  readonly #mayRepeat: (code: number) => boolean
  #inFlight = 0
  #bytes = 0

  constructor(need: ForwardingNeeds, mayRepeat: (code: number) => boolean) {
    this.#need = need
    this.#mayRepeat = mayRepeat
  }

  /** Takes `call` over: it is answered, here or by the leader, but not by `tried` under the same term. */
  forward(call: Call, tried?: LeaderPlace): void {
    const { options, clock } = this.#need
    if (this.#inFlight >= options.maxInFlight || this.#bytes + call.body.length > options.maxInFlightBytes) {
      return call.respond(errorReply(refusal('BROKER_BUSY', 'too many requests wait for the leader')))
    }
    call.hold()
    this.#inFlight++
    this.#bytes += call.body.length
    this.#locate({ call, deadlineMs: clock.monotonicMs() + options.withinMs, tried })
  }

  #locate(journey: Journey): void {
    const left = journey.deadlineMs - this.#need.clock.monotonicMs()
    this.#need.locator.locate(left, journey.tried, (place) => {
      if (place === undefined) return this.#end(journey, errorReply(refusal('BROKER_NOT_LEADER', 'no leader is known')))
      if (place.id === this.#need.ownId) {
        this.#leave(journey)
        return this.#need.handleHere(journey.call)
      }
      this.#send(journey, place)
    })
  }

  #send(journey: Journey, place: LeaderPlace): void {
    const { peers, clock } = this.#need
    const { call } = journey
    const left = Math.max(1, journey.deadlineMs - clock.monotonicMs())
    const { meta, payload } = encodeForward(call)
    peers.request(place.id, FORWARD_METHOD, meta, payload, left, (error, answer) => {
      if (answer === undefined) return this.#failed(journey, place, error)
      const reply = readForwardAnswer(answer)
      // 'notLeader': certainly not done there.
      if (reply === 'notLeader') return this.#again(journey, place)
      this.#end(journey, reply)
    })
  }

  #failed(journey: Journey, place: LeaderPlace, error: Error | undefined): void {
    const wasNotSent = ['PEER_UNREACHABLE', 'PEER_BUSY'].includes(errorCode(error) ?? '')
    if (wasNotSent || this.#mayRepeat(journey.call.code)) return this.#again(journey, place)
    this.#end(journey, errorReply(refusal('BROKER_UNDECIDED', 'the leader did not answer')))
  }

  /** Waits for another leader, or for the same one a little later: it may just have been cut off for a moment. */
  #again(journey: Journey, place: LeaderPlace): void {
    const { clock } = this.#need
    if (clock.monotonicMs() >= journey.deadlineMs) {
      return this.#end(journey, errorReply(refusal('BROKER_NOT_LEADER', 'no leader took the request in time')))
    }
    clock.after(RETRY_MS, () => {
      journey.tried = undefined
      this.#locate(journey)
    })
    journey.tried = place
  }

  #leave(journey: Journey): void {
    this.#inFlight--
    this.#bytes -= journey.call.body.length
  }

  #end(journey: Journey, reply: Reply): void {
    this.#leave(journey)
    journey.call.respond(reply)
  }
}
