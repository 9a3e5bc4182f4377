/**
 * RocketMQ's message trace: who sent a message, who handled it, how long it took. Rows are gathered for a moment and sent
 * as messages of their own, whose keys are the ids and keys of the messages they tell of (RocketMQ TraceDataEncoder,
 * AsyncTraceDispatcher), so that `mqadmin queryMsgTraceById` finds and reads them.
 *
 *   Pub       time region group topic id tags keys storeHost bodyLength costMs type offsetId isSuccess
 *   SubBefore time region group request id retries keys
 *   SubAfter  request id costMs isSuccess keys code time group
 *   EndTransaction time region group topic id tags keys storeHost type transactionId state isFromCheck
 *   Recall    time region group topic id isSuccess
 *
 * fields end with 0x01, rows with 0x02. What there is not is written `null`: the reader of Java cannot do without.
 */
import type { Clock, Timer } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import type { Log } from '../../lib/log.ts'
import { SystemTopic } from '../../message/topic-name.ts'

export interface TraceMessage {
  readonly topic: string
  readonly body: string
  readonly keys: readonly string[]
}

export interface MessageTraceNeeds {
  readonly clock: Clock
  readonly log: Log
  /** Sends one message of trace rows. */
  send(message: TraceMessage): Promise<unknown>
}

export interface Traced {
  readonly group: string
  readonly messageId: string
  readonly keys: readonly string[]
}

export interface Published extends Traced {
  readonly topic: string
  readonly tag: string | undefined
  readonly storeHost: string
  readonly bodyBytes: number
  readonly startMs: number
  readonly costMs: number
  readonly kind: keyof typeof kinds
  readonly offsetMessageId: string | undefined
  readonly isSuccess: boolean
}

export interface Handled extends Traced {
  /** What links the row before the handler to the one behind it. */
  readonly requestId: string
  readonly startMs: number
  readonly reconsumeTimes: number
}

export interface Done extends Handled {
  readonly costMs: number
  readonly isSuccess: boolean
}

/** What became of a transaction, as its producer tells the broker. */
export interface Ended extends Traced {
  readonly topic: string
  readonly tag: string | undefined
  readonly storeHost: string
  readonly atMs: number
  readonly state: keyof typeof states
  /** The broker had asked. */
  readonly isFromCheck: boolean
}

/** A message that waited for its time was taken back, or could not be. */
export interface Recalled extends Traced {
  readonly topic: string
  readonly atMs: number
  readonly isSuccess: boolean
}

interface Row {
  readonly text: string
  readonly keys: readonly string[]
}

/** Ordinals of RocketMQ's MessageType. */
const kinds = { normal: 0, half: 1, commit: 2, delay: 3, ordered: 4 } as const
/** Names of LocalTransactionState. */
const states = { commit: 'COMMIT_MESSAGE', rollback: 'ROLLBACK_MESSAGE' } as const
/** Ordinals of ConsumeReturnType. */
const SUCCESS_CODE = 0
const FAILED_CODE = 4
const REGION = 'DefaultRegion'

/** Rows of one message at most, and characters of its body (AsyncTraceDispatcher: 100, 128,000). */
const ROWS_MAX = 100
const BODY_CHARACTERS_MAX = 64_000
/** Keys travel in the properties, which are far smaller. */
const KEY_CHARACTERS_MAX = 8_000
const GATHER_MS = 100
/** Rows that wait at most; more are dropped: a trace never holds up what it tells of. */
const WAITING_MAX = 4_096
/** Messages of rows under way at most. */
const SENDING_MAX = 64

export class MessageTrace {
  readonly #needs: MessageTraceNeeds
  #rows: Row[] = []
  #timer: Timer | undefined
  readonly #sending = new Set<Promise<unknown>>()
  #dropped = 0

  constructor(needs: MessageTraceNeeds) {
    this.#needs = needs
  }

  published(row: Published): void {
    const { group, topic, messageId, tag, keys, storeHost, bodyBytes, startMs, costMs, isSuccess } = row
    const about = ['Pub', startMs, REGION, group, topic, messageId, tag, keys.join(' '), storeHost, bodyBytes]
    this.#add(row, [...about, Math.round(costMs), kinds[row.kind], row.offsetMessageId, isSuccess])
  }

  /** A handler begins. */
  handling(row: Handled): void {
    const { startMs, group, requestId, messageId, reconsumeTimes, keys } = row
    this.#add(row, ['SubBefore', startMs, REGION, group, requestId, messageId, reconsumeTimes, keys.join(' ')])
  }

  /** A handler is done. */
  handled(row: Done): void {
    const { requestId, messageId, costMs, isSuccess, keys, startMs, group } = row
    const code = isSuccess ? SUCCESS_CODE : FAILED_CODE
    const cost = Math.round(costMs)
    this.#add(row, ['SubAfter', requestId, messageId, cost, isSuccess, keys.join(' '), code, startMs + cost, group])
  }

  ended(row: Ended): void {
    const { group, topic, messageId, tag, keys, storeHost, atMs, state, isFromCheck } = row
    const about = ['EndTransaction', atMs, REGION, group, topic, messageId, tag, keys.join(' '), storeHost]
    this.#add(row, [...about, kinds.commit, messageId, states[state], isFromCheck])
  }

  recalled(row: Recalled): void {
    const { group, topic, messageId, atMs, isSuccess } = row
    this.#add(row, ['Recall', atMs, REGION, group, topic, messageId, isSuccess])
  }

  /** Sends what waits; resolves when all is sent, or could not be. */
  async flush(): Promise<void> {
    this.#send()
    await Promise.allSettled(this.#sending)
  }

  #add({ messageId, keys }: Traced, fields: readonly (string | number | boolean | undefined)[]): void {
    if (this.#rows.length >= WAITING_MAX || this.#sending.size >= SENDING_MAX) {
      this.#dropped += 1
      return
    }
    const text = fields.map((value) => (value === undefined || value === '' ? 'null' : String(value))).join('\u0001')
    this.#rows.push({ text: `${text}\u0002`, keys: [messageId, ...keys] })
    if (this.#rows.length >= ROWS_MAX) this.#send()
    else this.#timer ??= this.#needs.clock.after(GATHER_MS, () => this.#send())
  }

  #send(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    const { log } = this.#needs
    if (this.#dropped > 0) log.warn({ rows: this.#dropped }, 'rows of the message trace were dropped: too many wait')
    this.#dropped = 0
    const rows = this.#rows
    this.#rows = []
    for (const message of messagesOf(rows)) {
      const sending = this.#needs
        .send(message)
        .catch((error: unknown) => log.debug({ error: errorMessage(error) }, 'a message trace could not be sent'))
        .finally(() => this.#sending.delete(sending))
      this.#sending.add(sending)
    }
  }
}

function messagesOf(rows: readonly Row[]): TraceMessage[] {
  const messages: TraceMessage[] = []
  let body = ''
  let keys = new Set<string>()
  let keyCharacters = 0
  const close = (): void => {
    if (body !== '') messages.push({ topic: SystemTopic.trace, body, keys: [...keys] })
    body = ''
    keys = new Set()
    keyCharacters = 0
  }
  for (const row of rows) {
    const more = row.keys.reduce((sum, key) => sum + key.length + 1, 0)
    if (body.length + row.text.length > BODY_CHARACTERS_MAX || keyCharacters + more > KEY_CHARACTERS_MAX) close()
    body += row.text
    for (const key of row.keys) keys.add(key)
    keyCharacters += more
  }
  close()
  return messages
}
