/** How payloads become bodies and come back. JSON and text are built in; others implement `Codec`. */
import { errorMessage } from '../../lib/errors.ts'
import { clientErrors } from './errors.ts'

export interface Codec<Value> {
  /** Travels with the message as its property `content-type`. */
  readonly contentType: string
  /** What it throws, the caller of `TypedTopic.message` gets. */
  encode(value: Value): Uint8Array | string
  /** What it throws becomes `CLIENT_PAYLOAD`. */
  decode(body: Buffer): Value
}

/**
 * JSON. `check` says what type a parsed body has, or throws: the `parse` of a schema library, or a function of one's own.
 *
 * ```ts
 * const codec = json((value) => Order.parse(value))
 * ```
 */
export function json(): Codec<unknown>
export function json<Value>(check: (value: unknown) => Value): Codec<Value>
export function json(check: (value: unknown) => unknown = (value) => value): Codec<unknown> {
  return {
    contentType: 'application/json',
    encode(value) {
      const written: string | undefined = JSON.stringify(value)
      if (written !== undefined) return written
      throw clientErrors.create('CLIENT_PAYLOAD', `${typeof value} cannot be written as JSON`)
    },
    decode: (body) => check(JSON.parse(body.toString())),
  }
}

/** UTF-8 text. */
export const text: Codec<string> = {
  contentType: 'text/plain; charset=utf-8',
  encode: (value) => value,
  decode: (body) => body.toString(),
}

export function payloadError(what: string, cause: unknown): Error {
  return clientErrors.create('CLIENT_PAYLOAD', `${what}: ${errorMessage(cause)}`, cause)
}
