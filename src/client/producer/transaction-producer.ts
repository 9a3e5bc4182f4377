/**
 * Messages that are delivered if, and only if, something else succeeded (RocketMQ TransactionMQProducer): the message is
 * stored out of consumers' sight, the caller does its part, and what came of it is told to the broker. A broker that was
 * told nothing asks.
 */
import { errorCode, errorMessage } from '../../lib/errors.ts'
import { knownKeys } from '../../lib/known-keys.ts'
import { decodeOffsetMessageId } from '../../message/message-id.ts'
import { PropertyName } from '../../message/properties.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { CheckTransactionStateRequestHeader } from '../../remoting/headers/transaction.ts'
import { type Call, type Route, route } from '../../remoting/route.ts'
import { loadTelemetry } from '../core/telemetry.ts'
import type { Telemetry } from '../core/telemetry.ts'
import { succeeded } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import { clientErrors } from '../core/errors.ts'
import { checkGroupName } from '../core/names.ts'
import { checkFunction, checkKeys } from '../core/options.ts'
import { producerKeys } from './producer-options.ts'
import type { ProducerOptions } from './producer-options.ts'
import { checkMessage } from './message-check.ts'
import type { OutgoingMessage } from './outgoing-message.ts'
import { Producer } from './producer.ts'
import { receivedMessages } from '../core/received-message.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import type { SendResult } from './send-request.ts'
import { type EndedMessage, keysOf, type TracedSend } from './traced-send.ts'

/** What became of the caller's part: `unknown` leaves it to a check. */
export type TransactionState = 'commit' | 'rollback' | 'unknown'

export interface TransactionProducerOptions extends ProducerOptions {
  /** All producers of a group can answer for each other's transactions: one of them is asked. */
  readonly group: string
  /**
   * Asked by a broker what became of a transaction: at least once for each that it was told nothing about, possibly in
   * another process than the one that sent it. What it throws counts as `unknown`.
   */
  readonly check: (message: ReceivedMessage) => TransactionState | Promise<TransactionState>
}

const keys = knownKeys<TransactionProducerOptions>({ ...producerKeys, check: true })

export interface TransactionResult extends SendResult {
  readonly state: TransactionState
}

interface Half extends EndedMessage {
  readonly queueOffset: number
  readonly offset: number
}

const END_TIMEOUT_MS = 10_000
/** MessageSysFlag's transaction types. */
const flags = { commit: 8, rollback: 12 } as const

/**
 * ```ts
 * const producer = new TransactionProducer({
 *   namesrv: '127.0.0.1:9876',
 *   group: 'payments',
 *   check: async (message) => ((await isPaid(message.keys[0])) ? 'commit' : 'rollback'),
 * })
 * await producer.start()
 * await producer.send({ topic: 'Paid', body, keys: orderId }, async () => {
 *   await pay(orderId)
 *   return 'commit'
 * })
 * ```
 */
export class TransactionProducer {
  readonly #producer: Producer
  readonly #options: TransactionProducerOptions
  readonly #checking = new Set<Promise<void>>()
  #core: ClientCore | undefined
  #trace: TracedSend | undefined
  #telemetry: Telemetry | undefined

  /** Errors: `CLIENT_OPTION`. */
  constructor(options: TransactionProducerOptions) {
    checkKeys(options, 'a transaction producer', keys)
    const { check, ...rest } = options
    checkFunction('check', check)
    checkGroupName(options.group)
    this.#options = options
    const routes: Route<unknown>[] = [
      route({
        code: RequestCode.CHECK_TRANSACTION_STATE,
        request: CheckTransactionStateRequestHeader,
        handle: (header, call) => {
          this.#asked(header, call)
          return { code: ResponseCode.SUCCESS }
        },
      }),
    ]
    this.#producer = new Producer(rest, { routes, attach: (...world) => ([this.#core, this.#trace] = world) })
  }

  /** This client's name as brokers see it. */
  get clientId(): string {
    return this.#producer.clientId
  }

  async start(): Promise<void> {
    await this.#producer.start()
    this.#telemetry = await loadTelemetry(this.#options.openTelemetry)
  }

  /**
   * Stores the message, runs `local`, and tells the broker what it returned. Resolves when the broker knows; with
   * `unknown`, or when it could not be told, it asks later. What `local` throws is thrown on, and the broker asks.
   * Errors: those of `Producer.send`, before `local` ran.
   */
  async send(
    message: OutgoingMessage,
    local: (stored: SendResult) => TransactionState | Promise<TransactionState>,
  ): Promise<TransactionResult> {
    checkMessage(message)
    checkFunction('local', local)
    const properties = {
      ...message.properties,
      [PropertyName.TRAN_MSG]: 'true',
      [PropertyName.PGROUP]: this.#options.group,
    }
    // A broker asks those that it knows by their heartbeats.
    await this.#producer.introduce(message.topic)
    const stored = await this.#producer.send({ ...message, properties })
    const state = await local(stored)
    const { offset } = decodeOffsetMessageId(stored.offsetMessageId)
    const half = {
      topic: message.topic,
      brokerName: stored.queue.brokerName,
      queueOffset: stored.queueOffset,
      offset,
      messageId: stored.messageId,
      tag: message.tag,
      keys: keysOf(message),
    }
    if (state !== 'unknown') await this.#end(half, state, false).catch((error: unknown) => this.#untold(half, error))
    return { ...stored, state }
  }

  /** Waits for checks under way and closes as `Producer.close` does. */
  async close(): Promise<void> {
    await Promise.all(this.#checking)
    await this.#producer.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #asked(header: CheckTransactionStateRequestHeader, call: Call): void {
    const brokerName = header.bname ?? ''
    const [message] = receivedMessages(Buffer.from(call.body), brokerName, true)
    if (message === undefined || message.property(PropertyName.PGROUP) !== this.#options.group) return
    const half: Half = {
      topic: message.topic,
      brokerName,
      queueOffset: header.tranStateTableOffset,
      offset: header.commitLogOffset,
      messageId: message.messageId,
      tag: message.tag,
      keys: message.keys,
    }
    const checking = this.#answer(message, half).finally(() => this.#checking.delete(checking))
    this.#checking.add(checking)
  }

  async #answer(message: ReceivedMessage, half: Half): Promise<void> {
    try {
      const state = await this.#options.check(message)
      if (state !== 'unknown') await this.#end(half, state, true)
    } catch (error) {
      this.#untold(half, error)
    }
  }

  /** The broker asks (again) by itself. */
  #untold(half: Half, error: unknown): void {
    if (errorCode(error) === 'RMQ_ASSERTION') throw error
    const said = { messageId: half.messageId, error: errorMessage(error) }
    this.#options.log?.warn(said, 'what became of a transaction is not known to its broker yet')
  }

  /** Answered, and so repeated at the next leader where it has to be: a transaction ends once. */
  async #end(half: Half, state: 'commit' | 'rollback', fromTransactionCheck: boolean): Promise<void> {
    const core = this.#core
    if (core === undefined) throw clientErrors.create('CLIENT_STATE', 'the producer is not started')
    const header = {
      topic: half.topic,
      producerGroup: this.#options.group,
      tranStateTableOffset: half.queueOffset,
      commitLogOffset: half.offset,
      commitOrRollback: flags[state],
      fromTransactionCheck,
      msgId: half.messageId,
      transactionId: half.messageId,
    }
    this.#trace?.ended(half, state, fromTransactionCheck)
    const tell = async (): Promise<void> => {
      await core.callLeader(
        half,
        async (address, options) =>
          succeeded(await core.invoke(address, { code: RequestCode.END_TRANSACTION, header }, options)),
        { timeoutMs: END_TIMEOUT_MS },
      )
    }
    const { group } = this.#options
    await (this.#telemetry?.settling(state, { topic: half.topic, group }, tell) ?? tell())
  }
}
