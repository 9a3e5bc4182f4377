/** A request as the router gets it: what came, from whom, and the one chance to answer. */
import { assert } from '../lib/assert.ts'
import type { RemotingCommand } from './command.ts'
import type { Fields } from './fields.ts'
import type { Call, Origin, Reply } from './route.ts'

/** Called once: with the reply, or with undefined for a one-way request, at its beginning. */
export type OnAnswer = (call: IncomingCall, reply: Reply | undefined) => void

/** Bytes of one-way requests that are held from now on; negative: that are not any more. */
export type OnHold = (bytes: number) => void

export class IncomingCall implements Call {
  readonly connection: Origin
  readonly command: RemotingCommand
  readonly frameBytes: number
  #onAnswer: OnAnswer | undefined
  readonly #onHold: OnHold
  #isHeld = false

  constructor(
    connection: Origin,
    request: { readonly command: RemotingCommand; readonly frameBytes: number },
    on: { readonly answer: OnAnswer; readonly hold: OnHold },
  ) {
    const { command, frameBytes } = request
    this.connection = connection
    this.command = command
    this.frameBytes = frameBytes
    this.#onAnswer = on.answer
    this.#onHold = on.hold
    // Nobody waits for the answer of a one-way request, and its handler need not give one: it holds nothing in flight.
    if (command.isOneway) on.answer(this, undefined)
  }

  get code(): number {
    return this.command.code
  }

  get opaque(): number {
    return this.command.opaque
  }

  get version(): number {
    return this.command.version
  }

  get language(): number {
    return this.command.language
  }

  get fields(): Fields {
    return this.command.fields
  }

  get body(): Buffer {
    return this.command.body
  }

  get oneway(): boolean {
    return this.command.isOneway
  }

  hold(): void {
    if (!this.command.isOneway || this.#isHeld || this.#onAnswer === undefined) return
    this.#isHeld = true
    this.#onHold(this.frameBytes)
  }

  respond(reply: Reply): void {
    const onAnswer = this.#onAnswer
    assert(onAnswer !== undefined, 'a call was answered twice')
    this.#onAnswer = undefined
    if (!this.command.isOneway) onAnswer(this, reply)
    else if (this.#isHeld) this.#onHold(-this.frameBytes)
  }
}
