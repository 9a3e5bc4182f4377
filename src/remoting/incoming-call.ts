/** A request as the router gets it: what came, from whom, and the one chance to answer. */
import { assert } from '../lib/assert.ts'
import type { RemotingCommand } from './command.ts'
import type { Fields } from './fields.ts'
import type { Call, Origin, Reply } from './route.ts'

/** Called once: with the reply, or with undefined for a one-way request, at its beginning. */
export type OnAnswer = (call: IncomingCall, reply: Reply | undefined) => void

export class IncomingCall implements Call {
  readonly connection: Origin
  readonly command: RemotingCommand
  readonly frameBytes: number
  #onAnswer: OnAnswer | undefined

  constructor(connection: Origin, command: RemotingCommand, frameBytes: number, onAnswer: OnAnswer) {
    this.connection = connection
    this.command = command
    this.frameBytes = frameBytes
    this.#onAnswer = onAnswer
    // Nobody waits for the answer of a one-way request, and its handler need not give one: it holds nothing in flight.
    if (command.isOneway) onAnswer(this, undefined)
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

  respond(reply: Reply): void {
    const onAnswer = this.#onAnswer
    assert(onAnswer !== undefined, 'a call was answered twice')
    this.#onAnswer = undefined
    if (!this.command.isOneway) onAnswer(this, reply)
  }
}
