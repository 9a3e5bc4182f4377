/**
 * Transactions: halves, their ends said once or more often, checks of those whose end was never said. Verifies: a half is
 * in no consumer's sight; what was committed is in its topic exactly once, across failovers and repeated ends (37); what
 * was rolled back never; no half stays without an end.
 */
import type { OutgoingMessage } from '../../../src/client/producer/outgoing-message.ts'
import type { PushConsumer } from '../../../src/client/consumer/push-consumer.ts'
import type { SendResult } from '../../../src/client/producer/send-request.ts'
import { TransactionProducer } from '../../../src/client/producer/transaction-producer.ts'
import { decodeOffsetMessageId } from '../../../src/message/message-id.ts'
import { RequestCode } from '../../../src/remoting/codes.ts'
import { Violation } from '../../world/violation.ts'
import { bodyOf, idFor, idOf } from '../bodies.ts'
import { addressOf, type Machine } from '../machine.ts'
import type { Feature, FeatureNeeds, Verdict } from './feature.ts'
import { expectOnce } from './once.ts'
import { Sends } from './sends.ts'
import { Stage } from './stage.ts'

const TOPIC = 'payments'
const QUEUES = 2
const GROUP = 'tellers'
const BODY_BYTES = 100
/** MessageSysFlag's transaction types. */
const flags = { commit: 8, rollback: 12 } as const

export class Transactions implements Feature {
  readonly stage: Stage
  readonly #need: FeatureNeeds
  readonly #producer: TransactionProducer
  readonly #consumer: PushConsumer
  readonly #sends: Sends
  /** What becomes of each, drawn before it is sent. */
  readonly #ends = new Map<string, 'commit' | 'rollback'>()
  /** Those of which somebody said, or is saying, that they are committed. */
  readonly #committed = new Set<string>()
  readonly #seen = new Set<string>()
  #count = 0
  #isOver = false

  constructor(need: FeatureNeeds) {
    this.#need = need
    const { cluster, host } = need
    this.#sends = new Sends(cluster)
    this.#producer = new TransactionProducer({
      ...host.producing(GROUP),
      check: ({ body }) => this.#endOf(idOf(body)),
    })
    this.#consumer = host.consumer('bookkeepers', TOPIC)
    this.stage = new Stage({
      host,
      topic: TOPIC,
      queues: QUEUES,
      producer: this.#producer,
      consumers: [this.#consumer],
    })
  }

  start(): void {
    void this.#produce()
    void this.#consumer.run(({ body }) => {
      this.#need.cluster.guard(() => this.#arrived(idOf(body)))
    })
  }

  end(): void {
    this.#isOver = true
  }

  waiting(): readonly string[] {
    const isOpen = (id: string): boolean => this.#ends.get(id) === 'commit' && !this.#seen.has(id)
    return this.#sends.awaited.map(({ id }) => id).filter(isOpen)
  }

  async check(machine: Machine, { isSettled }: Verdict): Promise<void> {
    const isWanted = (id: string): boolean => this.#ends.get(id) === 'commit'
    const sends = this.#sends
    await expectOnce(this.#need.host, machine, { topic: TOPIC, queues: QUEUES, sends, isSettled, isWanted })
  }

  async #produce(): Promise<void> {
    const { random } = this.#need.host
    while (!this.#isOver) {
      const id = idFor('t', ++this.#count, BODY_BYTES)
      this.#ends.set(id, random.next() < 0.6 ? 'commit' : 'rollback')
      const isTold = random.next() < 0.7
      const message: OutgoingMessage = { topic: TOPIC, body: bodyOf(id) }
      await this.#sends.send(id, async () => {
        const stored = await this.#producer.send(message, () => (isTold ? this.#endOf(id) : 'unknown'))
        if (random.next() < 0.4) await this.#sayAgain(id, stored)
        return stored
      })
      await this.#need.host.pause(random.next() * 300)
    }
  }

  /** Said of a transaction that may have ended long ago, or not yet, to whichever node. */
  async #sayAgain(id: string, { messageId, offsetMessageId, queueOffset }: SendResult): Promise<void> {
    const { cluster, host } = this.#need
    const machine = cluster.machines[host.random.integer(0, cluster.machines.length - 1)]
    if (machine === undefined) return
    const header = {
      topic: TOPIC,
      producerGroup: GROUP,
      tranStateTableOffset: queueOffset,
      commitLogOffset: decodeOffsetMessageId(offsetMessageId).offset,
      commitOrRollback: flags[this.#endOf(id)],
      fromTransactionCheck: false,
      msgId: messageId,
      transactionId: messageId,
    }
    await host.invoke(addressOf(machine), { code: RequestCode.END_TRANSACTION, header }).catch(() => undefined)
  }

  #endOf(id: string): 'commit' | 'rollback' {
    const end = this.#ends.get(id)
    if (end === undefined) throw new Violation('content', `a producer is asked about ${id}, which nobody sent`)
    if (end === 'commit') this.#committed.add(id)
    return end
  }

  #arrived(id: string): void {
    this.#seen.add(id)
    if (!this.#committed.has(id)) throw new Violation('half', `${id} is delivered, and nobody committed it`)
  }
}
