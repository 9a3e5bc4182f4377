/**
 * Carries sends to their end: chooses the queue, writes to its leader, judges the answer, tries again, gives up. A send
 * is one request: one message, or one batch.
 *
 * No send waits by a timer of its own. Attempts end by their connection; sends that wait for a leader are *parked*; sends
 * whose connection has enough to write wait for room in it. One alarm rings for whoever's time is over first: a producer
 * that nobody keeps waiting holds no timer.
 */
import { Alarm } from '../../lib/alarm.ts'
import { sleep } from '../../lib/clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { errorCode } from '../../lib/errors.ts'
import { refusal } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import { channels } from '../core/diagnostics.ts'
import { clientErrors } from '../core/errors.ts'
import { Courier } from './courier.ts'
import { Destinations } from './destinations.ts'
import { Parkings, PAUSE_MS } from './parkings.ts'
import type { ResolvedProducerOptions } from './producer-options.ts'
import type { SendAnswer } from './send-answer.ts'
import type { SendDone, SendRequest, SendResult } from './send-request.ts'
import { BackOff, decideSend, sendStatus, verdictOfResponse, verdictOfTrouble } from './send-retry.ts'
import type { Trouble, Verdict } from './send-retry.ts'
import { Send } from './send.ts'
import type { SendHandle } from './send.ts'
import { SilenceWatch } from './silence-watch.ts'
import { leaderOf, noWriteQueueError, type TopicRoute } from '../core/topic-route.ts'
import { WaitingRoom } from './waiting-room.ts'

/** Between two looks at whose time is over. */
const LOOK_MS = 50
/** An attempt shorter than this is not worth making. */
const MIN_ATTEMPT_MS = 5
/** A leader that owes answers for so long is looked up again. */
const SILENT_MS = 1_000
export class Sender {
  readonly #core: ClientCore
  readonly #options: ResolvedProducerOptions
  readonly #clock: Clock
  readonly #destinations: Destinations
  readonly #idle: (() => void)[] = []
  readonly #alarm: Alarm
  readonly #silence: SilenceWatch
  readonly #parkings: Parkings<RouteFailure>
  readonly #room: WaitingRoom<Send>
  readonly #courier: Courier
  #inFlight = 0
  #inFlightBytes = 0
  #order = 0

  constructor(core: ClientCore, options: ResolvedProducerOptions) {
    this.#core = core
    this.#options = options
    this.#clock = options.clock
    this.#destinations = new Destinations(core, options)
    this.#silence = new SilenceWatch({
      clock: options.clock,
      silentMs: SILENT_MS,
      refreshRoutes: () => this.#destinations.refreshLeaders(),
      isLeader: (address) => core.routes.brokers().some((group) => leaderOf(group) === address),
      giveUp: (address) => core.remoting.disconnect(address, 'it kept silent, and leads no more'),
    })
    this.#room = new WaitingRoom({
      clock: options.clock,
      hasRoom: (address) => core.remoting.existing(address)?.hasRoom !== false,
      goOn: (send) => this.#attempt(send, true),
    })
    this.#courier = new Courier({
      remoting: core.remoting,
      silence: this.#silence,
      options,
      answered: (send, answer) => this.#answered(send, answer),
      unanswered: (send, error) => this.#unanswered(send, error),
      sendAgain: (send) => this.#attempt(send),
    })
    this.#parkings = new Parkings({
      clock: options.clock,
      closing: core.closing,
      refresh: (topic) => this.#refresh(topic),
      goOn: (send) => this.#attempt(send),
      failed: (send, { counts, code, error }) =>
        this.#judge(send, { ...verdictOfTrouble('noRoute'), counts, error: code }, error),
    })
    this.#alarm = new Alarm(options.clock, () => this.#expireWaiting())
    // A silent leader that leads no more is given up as soon as that is known.
    core.routes.onChange(() => this.#silence.look())
  }

  /** Whether the topic was sent to before. */
  knows(topic: string): boolean {
    return this.#destinations.knows(topic)
  }

  /** Messages under way. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** `CLIENT_OVERLOADED` if so many more messages, with so many bytes of bodies, are more than may be under way. */
  overload(messages: number, bytes: number): Error | undefined {
    const { maxInFlight, maxInFlightBytes } = this.#options
    if (this.#inFlight + messages <= maxInFlight && this.#inFlightBytes + bytes <= maxInFlightBytes) return undefined
    const what = `${this.#inFlight} messages with ${this.#inFlightBytes} bytes are in flight`
    return clientErrors.create('CLIENT_OVERLOADED', `${what} (maxInFlight, maxInFlightBytes)`)
  }

  /**
   * Sends. `done` is called exactly once, in a later turn or in this one. For a batch, the result is that of its first
   * message, with all offset ids in a comma list.
   */
  send(request: SendRequest, done: SendDone): SendHandle | undefined {
    const nowMs = this.#clock.monotonicMs()
    const overload = this.overload(request.messages, request.body.length)
    if (overload !== undefined) {
      done(overload, undefined)
      return undefined
    }
    this.#inFlight += request.messages
    this.#inFlightBytes += request.body.length
    this.#order += 1
    const deadlineMs = nowMs + this.#options.sendTimeoutMs
    const send = new Send(request, { startMs: nowMs, deadlineMs, order: this.#order }, done)
    this.#attempt(send)
    return send
  }

  /** What was gathered to leave together leaves now: nothing follows in this turn. */
  flush(): void {
    this.#courier.flush()
  }

  /** Ends the send with `error` for its caller; what comes of the attempt under way is not known. */
  giveUp(handle: SendHandle | undefined, error: Error): void {
    if (handle instanceof Send) this.#end(handle, error, undefined)
  }

  /** Sends a request that is not answered. False: there is no leader, or the connection takes no more. */
  async sendOneway(request: SendRequest): Promise<boolean> {
    if ((await this.findRoute(request.topic)) === undefined) return false
    const queue = this.#destinations.choose(request)
    if (queue === undefined || queue === 'noRoute') return false
    const address = this.#core.routes.leader(queue.brokerName)
    return address !== undefined && this.#courier.tell(address, request, queue)
  }

  /** The route to send by: the topic's own, or the borrowed one of a topic that will be created by sending. */
  findRoute(topic: string): Promise<TopicRoute | undefined> {
    return this.#destinations.find(topic)
  }

  /** Resolves when nothing is in flight. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.#settleIdle()
    })
  }

  /** Fails what is parked. What is on a connection fails when that closes. */
  close(): void {
    this.#alarm.cancel()
    this.#silence.close()
    const waiting = [...this.#parkings.take(everybody), ...this.#room.take(everybody)]
    for (const send of [...waiting, ...this.#courier.takeAll()]) {
      const why = 'the producer was closed before the message was sent'
      this.#end(send, clientErrors.create('CLIENT_CLOSED', why), undefined)
    }
  }

  /** `isNext`: of those that wait for room at the same connection. */
  #attempt(send: Send, isNext = false): void {
    if (send.done === undefined) return
    const queue = this.#destinations.choose(send.request)
    if (queue === 'noRoute') return this.#park(send, true)
    if (queue === undefined) return this.#trouble(send, 'noRoute', noWriteQueueError(send.request.topic))
    const address = this.#core.routes.leader(queue.brokerName)
    if (address === undefined || !this.#core.routes.isUsable(queue.brokerName)) return this.#park(send, true)
    send.queue = queue
    send.address = address
    if (!isNext && this.#room.mustWait(address)) return this.#waitForRoom(send)
    send.attempts += 1
    if (channels.send.hasSubscribers) channels.send.publish(this.#event(send))
    this.#courier.carry(send)
  }

  #answered(send: Send, answer: SendAnswer): void {
    const status = sendStatus(answer.code)
    const { queue } = send
    if (status === undefined || queue === undefined) {
      return this.#judge(send, verdictOfResponse(answer.code), refusal(answer))
    }
    const { offsetMessageId, queueId, queueOffset, recallHandle } = answer
    this.#end(send, undefined, {
      status,
      messageId: send.request.messageId,
      offsetMessageId,
      queue: queueId === queue.queueId ? queue : { ...queue, queueId },
      queueOffset,
      mayBeTwice: send.sawUndecided,
      recallHandle,
    })
  }

  #unanswered(send: Send, error: Error | undefined): void {
    const code = errorCode(error)
    if (code === 'REMOTING_CONNECT_FAILED') this.#trouble(send, 'connectFailed', error)
    else if (code === 'REMOTING_TIMEOUT') this.#trouble(send, 'timedOut', error)
    else if (code === 'REMOTING_TOO_MANY_REQUESTS') this.#waitForRoom(send)
    else this.#trouble(send, 'connectionLost', error)
  }

  #trouble(send: Send, trouble: Trouble, error: Error | undefined): void {
    this.#judge(send, verdictOfTrouble(trouble), error)
  }

  #judge(send: Send, verdict: Verdict, error: Error | undefined): void {
    if (send.done === undefined) return
    send.lastError = error
    send.lastVerdict = verdict
    if (verdict.counts) send.counted += 1
    if (this.#core.closing.aborted) return this.#end(send, this.#closedError(send, verdict), undefined)
    const { retries, retryUndecided } = this.#options
    const at = { nowMs: this.#clock.monotonicMs(), deadlineMs: send.deadlineMs }
    const state = { counted: send.counted, sawUndecided: send.sawUndecided, remainingMs: at.deadlineMs - at.nowMs }
    const decision = decideSend(verdict, state, { retries, retryUndecided, minAttemptMs: MIN_ATTEMPT_MS })
    if (verdict.outcome === 'undecided') send.sawUndecided = true
    if (decision.action === 'fail') return this.#end(send, this.#failure(send, decision.error), undefined)
    send.backOff ??= new BackOff()
    send.backOff.judged(decision, at, this.#options.random.next())
    if (verdict.suspectMs > 0 && send.address !== '') this.#core.routes.suspect(send.address, verdict.suspectMs)
    this.#park(send, verdict.refreshRoute)
  }

  #park(send: Send, needsRoute: boolean): void {
    this.#parkings.add(send, needsRoute)
    this.#lookBefore(send.deadlineMs)
  }

  #waitForRoom(send: Send): void {
    this.#room.add(send.address, send)
    this.#lookBefore(send.deadlineMs)
  }

  /** Why there is no route to try, if there is none. */
  async #refresh(topic: string): Promise<RouteFailure | undefined> {
    try {
      const route = await this.#destinations.refresh(topic)
      if (route !== undefined) return undefined
      const error = clientErrors.create('CLIENT_NO_ROUTE', `the topic ${topic} does not exist`)
      return { code: 'CLIENT_NO_ROUTE', error, counts: true }
    } catch (error) {
      if (this.#destinations.route(topic) !== undefined) return undefined
      await sleep(this.#clock, PAUSE_MS)
      const failure = error instanceof Error ? error : new Error(String(error))
      const isOption = errorCode(error) === 'CLIENT_OPTION'
      return { code: isOption ? 'CLIENT_OPTION' : 'CLIENT_NO_NAMESRV', error: failure, counts: isOption }
    }
  }

  #expireWaiting(): void {
    const nowMs = this.#clock.monotonicMs()
    const isDue = (send: Send): boolean => send.deadlineMs <= nowMs
    for (const send of this.#parkings.take(isDue)) this.#expire(send, send.lastVerdict ?? verdictOfTrouble('noLeader'))
    for (const send of this.#room.take(isDue)) {
      send.lastError ??= clientErrors.create('CLIENT_OVERLOADED', 'the broker took less than was sent to it')
      this.#expire(send, verdictOfTrouble('overloaded'))
    }
    this.#lookBefore(
      Math.min(
        this.#parkings.firstDeadlineMs,
        this.#room.first(({ deadlineMs }) => deadlineMs),
      ),
    )
  }

  #lookBefore(dueMs: number): void {
    if (dueMs === Number.POSITIVE_INFINITY || this.#core.closing.aborted) return
    this.#alarm.before(Math.max(dueMs, this.#clock.monotonicMs() + LOOK_MS))
  }

  #expire(send: Send, { error }: Verdict): void {
    this.#end(send, this.#failure(send, send.sawUndecided ? 'CLIENT_UNDECIDED' : error), undefined)
  }

  #failure(send: Send, code: Parameters<typeof clientErrors.create>[0]): Error {
    const spentMs = Math.round(this.#clock.monotonicMs() - send.startMs)
    const where = send.queue === undefined ? send.request.topic : `${send.request.topic} at ${send.queue.brokerName}`
    const name = send.queue?.brokerName
    const now = name === undefined || this.#core.routes.leader(name) !== undefined ? [] : [`${name} has no leader now`]
    const why = [...(send.lastError === undefined ? [] : [send.lastError.message]), ...now].join('; ')
    const attempts = send.attempts === 1 ? '1 attempt' : `${send.attempts} attempts`
    const cause = send.lastError?.cause ?? send.lastError
    return clientErrors.create(
      code,
      `sending to ${where} failed after ${attempts} and ${spentMs} ms: ${why || 'there is no leader'}`,
      cause,
    )
  }

  #closedError(send: Send, verdict: Verdict): Error {
    const isUndecided = send.sawUndecided || verdict.outcome === 'undecided'
    const code = isUndecided ? 'CLIENT_UNDECIDED' : 'CLIENT_CLOSED'
    return clientErrors.create(code, 'the producer was closed while the message was under way')
  }

  #end(send: Send, error: Error | undefined, result: SendResult | undefined): void {
    const { done } = send
    if (done === undefined) return
    send.done = undefined
    this.#inFlight -= send.request.messages
    this.#inFlightBytes -= send.request.body.length
    const channel = error === undefined ? channels.acknowledged : channels.failed
    if (channel.hasSubscribers) {
      const durationMs = this.#clock.monotonicMs() - send.startMs
      channel.publish({ ...this.#event(send), durationMs, ...(error === undefined ? {} : { error }) })
    }
    done(error, result)
    if (this.#idle.length > 0) this.#settleIdle()
  }

  #event(send: Send): object {
    const { topic, messageId } = send.request
    return { topic, messageId, queue: send.queue, attempt: send.attempts }
  }

  #settleIdle(): void {
    if (this.#inFlight === 0) for (const resolve of this.#idle.splice(0)) resolve()
  }
}

const everybody = (): boolean => true

interface RouteFailure {
  readonly code: 'CLIENT_NO_ROUTE' | 'CLIENT_NO_NAMESRV' | 'CLIENT_OPTION'
  readonly error: Error
  readonly counts: boolean
}
