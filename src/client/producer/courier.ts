/**
 * Carries attempts to their brokers: each as a request of its own, or what one turn has for one address as one request of
 * many parts, where its broker knows that one (700_021; stock brokers do not). A producer of many topics would pay for a
 * request with every message otherwise.
 *
 * What goes to an address keeps its order: before an attempt leaves by itself, those gathered for its address do.
 */
import { errorMessage } from '../../lib/errors.ts'
import { encodeSendParts, sendPartLength } from '../../message/send-parts.ts'
import { SystemTopic } from '../../message/topic-name.ts'
import type { RemotingClient } from '../../remoting/client.ts'
import { LanguageCode, RaftmqCode, ResponseCode } from '../../remoting/codes.ts'
import type { Request } from '../../remoting/connection.ts'
import type { OnResponse } from '../../remoting/invocations.ts'
import type { MessageQueue } from '../core/message-queue.ts'
import { ManyTakers } from './many-takers.ts'
import { partAnswers } from './part-answers.ts'
import type { ResolvedProducerOptions } from './producer-options.ts'
import { readSendAnswer, type SendAnswer } from './send-answer.ts'
import { sendCommand, type SendRequest } from './send-request.ts'
import type { Send } from './send.ts'
import type { SilenceWatch } from './silence-watch.ts'

export interface CourierNeeds {
  readonly remoting: RemotingClient
  /** Told of every request and its end. */
  readonly silence: Pick<SilenceWatch, 'asked' | 'ended'>
  readonly options: ResolvedProducerOptions
  readonly answered: (send: Send, answer: SendAnswer) => void
  readonly unanswered: (send: Send, error: Error | undefined) => void
  /** The broker does not know requests of many parts, and has done nothing. */
  readonly sendAgain: (send: Send) => void
}

type Chosen = Send & { readonly queue: MessageQueue }

interface Gathering {
  readonly sends: Chosen[]
  bytes: number
}

/** A larger batch leaves by itself: its share of a request is small already, and it would be copied once more. */
const PART_BYTES_MAX = 4_096

export class Courier {
  readonly #need: CourierNeeds
  readonly #takers: ManyTakers
  /** By address. */
  readonly #gatherings = new Map<string, Gathering>()
  #isFlushAsked = false

  constructor(need: CourierNeeds) {
    this.#need = need
    this.#takers = new ManyTakers(need.remoting, (address, timeoutMs, done) =>
      this.#invokeMany(address, Buffer.alloc(0), timeoutMs, done),
    )
  }

  /** Takes an attempt over, whose `queue` and `address` are set. */
  carry(send: Send): void {
    if (isChosen(send) && this.#mayRide(send)) return this.#gather(send)
    this.#leave(send.address)
    this.#carryAlone(send)
  }

  /** Sends a request that is not answered. False: the connection takes no more. */
  async tell(address: string, request: SendRequest, queue: MessageQueue): Promise<boolean> {
    const { remoting, options } = this.#need
    this.#leave(address)
    try {
      await remoting.invokeOneway(address, sendCommand(request, queue, options))
      return true
    } catch (error) {
      options.log.debug({ address, error: errorMessage(error) }, 'a one-way send could not leave')
      return false
    }
  }

  /** What was gathered leaves now. */
  flush(): void {
    for (const address of this.#gatherings.keys()) this.#leave(address)
  }

  /** Gives back what has not left. */
  takeAll(): Send[] {
    const sends = [...this.#gatherings.values()].flatMap((gathering) => gathering.sends)
    this.#gatherings.clear()
    return sends
  }

  #mayRide({ request, attempts, deadlineMs }: Send): boolean {
    const { options } = this.#need
    if (!request.isGathered || options.batch === undefined || request.body.length > PART_BYTES_MAX) return false
    // One that was tried before and has little time left would shorten the time of all.
    return attempts <= 1 || deadlineMs - options.clock.monotonicMs() >= options.attemptTimeoutMs
  }

  #gather(send: Chosen): void {
    const { address } = send
    const maxBytes = this.#need.options.batch?.maxBytes ?? 0
    const bytes = sendPartLength(send)
    let gathering = this.#gatherings.get(address)
    if (gathering !== undefined && gathering.bytes + bytes > maxBytes) {
      this.#leave(address)
      gathering = undefined
    }
    if (gathering === undefined) {
      gathering = { sends: [], bytes: 0 }
      this.#gatherings.set(address, gathering)
      this.#askFlush()
    }
    gathering.sends.push(send)
    gathering.bytes += bytes
  }

  #askFlush(): void {
    if (this.#isFlushAsked) return
    this.#isFlushAsked = true
    this.#need.options.clock.endOfTurn(() => {
      this.#isFlushAsked = false
      this.flush()
    })
  }

  #leave(address: string): void {
    const gathering = this.#gatherings.get(address)
    if (gathering === undefined) return
    this.#gatherings.delete(address)
    const { sends } = gathering
    if (sends.length > 1 && this.#takers.takes(address, this.#need.options.attemptTimeoutMs)) {
      return this.#carryTogether(address, gathering)
    }
    for (const send of sends) this.#carryAlone(send)
  }

  #carryAlone(send: Send): void {
    const { options, answered, unanswered } = this.#need
    const { queue, address, request } = send
    if (send.done === undefined || queue === undefined) return
    this.#invoke(address, sendCommand(request, queue, options), this.#timeoutMs([send]), (error, answer) => {
      if (answer === undefined) unanswered(send, error)
      else answered(send, readSendAnswer(answer))
    })
  }

  #carryTogether(address: string, { sends, bytes }: Gathering): void {
    const { answered, unanswered, sendAgain } = this.#need
    this.#invokeMany(address, encodeSendParts(sends, bytes), this.#timeoutMs(sends), (error, answer) => {
      if (answer === undefined) {
        for (const send of sends) unanswered(send, error)
      } else if (answer.code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED) {
        this.#takers.refused(address)
        for (const send of sends) sendAgain(send)
      } else {
        let at = 0
        const answers = partAnswers(answer, sends.length)
        for (const send of sends) answered(send, answers(at++))
      }
    })
  }

  #invokeMany(address: string, body: Buffer, timeoutMs: number, done: OnResponse): void {
    const { options } = this.#need
    const header = {
      producerGroup: options.group,
      defaultTopic: SystemTopic.autoCreate,
      defaultTopicQueueNums: options.autoCreateQueues,
    }
    const request = { code: RaftmqCode.SEND_TO_MANY_QUEUES, language: LanguageCode.OTHER, header, body }
    this.#invoke(address, request, timeoutMs, done)
  }

  #invoke(address: string, request: Request, timeoutMs: number, done: OnResponse): void {
    const { remoting, silence } = this.#need
    silence.asked(address)
    remoting.invokeCallback(address, request, timeoutMs, (error, answer) => {
      silence.ended(address, answer !== undefined)
      done(error, answer)
    })
  }

  /** Of an attempt that has all of `sends`: as long as each of them may take. */
  #timeoutMs(sends: readonly Send[]): number {
    const { clock, attemptTimeoutMs } = this.#need.options
    let untilMs = Number.POSITIVE_INFINITY
    for (const { deadlineMs } of sends) untilMs = Math.min(untilMs, deadlineMs)
    return Math.max(1, Math.min(attemptTimeoutMs, untilMs - clock.monotonicMs()))
  }
}

function isChosen(send: Send): send is Chosen {
  return send.queue !== undefined
}
