/** What the calls of clients are given beside their subject, by programs that may be written without types. */
import { knownKeys } from '../../lib/known-keys.ts'
import { clientErrors } from './errors.ts'
import type { MessageQueue } from './message-queue.ts'
import { checkKeys } from './options.ts'

export interface SendOptions {
  /** Gives up waiting. A message that was already written may be stored all the same. */
  readonly signal?: AbortSignal
}

export interface RunOptions {
  /** Closes the consumer when it fires. */
  readonly signal?: AbortSignal
}

const keys = knownKeys<SendOptions & RunOptions>({ signal: true })

/** The signal of `options`, which `owner` takes. Errors: `CLIENT_OPTION`. */
export function signalOf(owner: string, options: SendOptions | RunOptions | undefined): AbortSignal | undefined {
  if (options === undefined) return undefined
  checkKeys(options, owner, keys)
  const { signal } = options
  // Not by its class: a program may bring one of its own.
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') throw unfit('signal', 'no AbortSignal')
  return signal
}

/** Errors: `CLIENT_OPTION` for what is no integer from `low` to `high`. */
export function checkWithin(what: string, value: number, { low, high }: { low: number; high: number }): void {
  if (Number.isInteger(value) && value >= low && value <= high) return
  throw clientErrors.create('CLIENT_OPTION', `${what}: ${String(value)} is not an integer in ${low}–${high}`)
}

/** Errors: `CLIENT_OPTION`. */
export function checkText(what: string, value: string | undefined): void {
  if (typeof value !== 'string') throw unfit(what, `${String(value)} is no text`)
}

/** Errors: `CLIENT_OPTION` for what is no object of texts. */
export function checkTexts(what: string, texts: Readonly<Record<string, string>>): void {
  const given: unknown = texts
  if (typeof given !== 'object' || given === null) throw unfit(what, `${String(given)} is no object of texts`)
  for (const [name, value] of Object.entries(texts)) checkText(`${what}.${name}`, value)
}

/** Errors: `CLIENT_OPTION`. */
export function checkQueue(queue: MessageQueue): void {
  const isQueue =
    typeof queue?.topic === 'string' && typeof queue.brokerName === 'string' && Number.isInteger(queue.queueId)
  if (!isQueue) throw unfit('queue', 'that is none: it has a topic, a brokerName and a queueId')
}

/** Errors: `CLIENT_OPTION`. */
export function checkQueues(queues: readonly MessageQueue[]): void {
  const given: unknown = queues
  if (!Array.isArray(given)) throw unfit('queues', `${String(given)} is no list`)
  for (const queue of queues) checkQueue(queue)
}

function unfit(what: string, why: string): Error {
  return clientErrors.create('CLIENT_OPTION', `${what}: ${why}`)
}
