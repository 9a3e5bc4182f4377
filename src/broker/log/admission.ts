/** A bound on requests that wait for the log: what does not fit is refused at the door. */
import { assert } from '../../lib/assert.ts'
import { refusal } from '../errors.ts'

export class Admission {
  readonly #max: number
  readonly #what: string
  #count = 0

  /** `what` is counted, for the message: `sends`. */
  constructor(options: { readonly max: number; readonly what: string }) {
    this.#max = options.max
    this.#what = options.what
  }

  get count(): number {
    return this.#count
  }

  get max(): number {
    return this.#max
  }

  /** Throws BROKER_BUSY when full; otherwise `leave` must be called once. */
  enter(): void {
    if (this.#count >= this.#max) throw refusal('BROKER_BUSY', `${this.#count} ${this.#what} wait for the log`)
    this.#count++
  }

  leave(): void {
    assert(this.#count > 0, 'who leaves has entered')
    this.#count--
  }
}
