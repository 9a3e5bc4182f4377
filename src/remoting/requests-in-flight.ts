/** What the peer's requests on one connection hold until they are answered, also of what all connections may hold. */
import type { ConnectionLimits } from './limits.ts'

/** Bytes of requests in flight over many connections; who is over it gets SYSTEM_BUSY. */
export interface Admission {
  readonly bytesMax: number
  bytes: number
}

export class RequestsInFlight {
  readonly #limits: ConnectionLimits
  readonly #admission: Admission
  #count = 0
  #bytes = 0
  /** Of one-way requests, whose work goes on: nobody waits for an answer to them. */
  #heldBytes = 0

  constructor(limits: ConnectionLimits, admission: Admission) {
    this.#limits = limits
    this.#admission = admission
  }

  /** Requests not answered yet. */
  get count(): number {
    return this.#count
  }

  /** No more are to be read. */
  get isFull(): boolean {
    const { requestsInFlightMax, requestBytesInFlightMax, onewayBytesHeldMax } = this.#limits
    return (
      this.#count >= requestsInFlightMax ||
      this.#bytes >= requestBytesInFlightMax ||
      this.#heldBytes >= onewayBytesHeldMax
    )
  }

  /** Takes a request in. False: all connections hold too much together, and more than this one request. */
  add(frameBytes: number): boolean {
    this.#count += 1
    this.#bytes += frameBytes
    this.#admission.bytes += frameBytes
    return this.#admission.bytes <= this.#admission.bytesMax || this.#admission.bytes <= frameBytes
  }

  answered(frameBytes: number): void {
    this.#count -= 1
    this.#bytes -= frameBytes
    this.#admission.bytes -= frameBytes
  }

  /** `bytes` of a one-way request are held, or, below zero, let go. */
  hold(bytes: number): void {
    this.#heldBytes += bytes
    this.#admission.bytes += bytes
  }

  /** The connection is gone: everything is given back. */
  clear(): void {
    this.#admission.bytes -= this.#bytes + this.#heldBytes
    this.#heldBytes = 0
    this.#bytes = 0
    this.#count = 0
  }
}
