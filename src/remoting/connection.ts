/**
 * One socket, both directions: the peer's requests go to the router, its answers to whoever asked. Everything that a
 * turn has to say leaves in one write.
 *
 * Back-pressure: a peer that has too much unanswered, or reads its answers too slowly, is not read on; one that keeps
 * too many bytes waiting for too long is cut off. TLS ends before this class: a TLSSocket is a Socket.
 */
import type { Clock } from '../lib/clock.ts'
import { errorCode, errorMessage } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { LanguageCode, PROTOCOL_VERSION, ResponseCode, SerializeType } from './codes.ts'
import { decodeCommand, Flag, type RemotingCommand } from './command.ts'
import { remotingErrors } from './errors.ts'
import type { HeaderRecord } from './fields.ts'
import { FrameSplitter } from './frame.ts'
import { type Body, FrameWriter } from './frame-writer.ts'
import { IncomingCall } from './incoming-call.ts'
import { Invocations, type OnResponse } from './invocations.ts'
import type { ConnectionLimits } from './limits.ts'
import { type Admission, RequestsInFlight } from './requests-in-flight.ts'
import type { Origin, Reply, Router } from './route.ts'
import { plainHost, type StreamSocket } from './sockets.ts'

export interface Request {
  /** A RequestCode. */
  readonly code: number
  readonly header?: HeaderRecord | undefined
  readonly body?: Body | undefined
  /** JSON unless said otherwise: the form every implementation reads. */
  readonly form?: SerializeType | undefined
  readonly language?: number | undefined
  readonly version?: number | undefined
}

export interface ConnectionNeeds {
  readonly socket: StreamSocket
  /** Where to, for log lines and errors, when the socket does not say (a dialled address). */
  readonly peer?: string
  readonly router: Router
  readonly limits: ConnectionLimits
  readonly admission: Admission
  readonly clock: Clock
  readonly log: Log
  /** A request of ours waits until then: for an owner that sweeps when something is due. */
  readonly onDeadline?: (deadlineMs: number) => void
}

type CloseListener = (connection: Connection) => void

/** Written bytes above this leave at once, before the turn's end: the peer works on them while the rest is written. */
const FLUSH_BYTES = 131_072
const TLS_HANDSHAKE = 0x16
/** RocketMQ NettyRemotingAbstract.processRequestCommand. */
const BUSY_REMARK = '[OVERLOAD]system busy, start flow control for a while'
/** A connection that was silent for this long gives its write buffer back. */
const RELEASE_AFTER_MS = 10_000

export class Connection implements Origin {
  /** `host:port` of the peer. */
  readonly remoteAddress: string
  readonly remoteHost: string
  readonly remotePort: number
  /** `host:port` at which the peer reaches this side. */
  readonly localAddress: string
  readonly #socket: StreamSocket
  readonly #router: Router
  readonly #limits: ConnectionLimits
  readonly #clock: Clock
  readonly #log: Log
  readonly #splitter: FrameSplitter
  readonly #writer = new FrameWriter()
  readonly #invocations: Invocations
  readonly #requests: RequestsInFlight
  readonly #closeListeners = new Set<CloseListener>()
  #lastActivityMs: number
  /** Since when the peer keeps more than the soft maximum waiting. */
  #slowSinceMs: number | undefined
  #flushAsked = false
  #readingPaused = false
  #receivedAny = false
  /** No new requests are taken; the socket ends when what is in flight is answered. */
  #draining = false
  #ended = false
  #closed = false

  constructor(need: ConnectionNeeds) {
    this.#socket = need.socket
    this.#router = need.router
    this.#limits = need.limits
    this.#requests = new RequestsInFlight(need.limits, need.admission)
    this.#clock = need.clock
    this.#log = need.log
    this.#invocations = new Invocations(need.onDeadline)
    this.#lastActivityMs = need.clock.monotonicMs()
    this.remoteHost = plainHost(need.socket.remoteAddress)
    this.remotePort = need.socket.remotePort ?? 0
    this.remoteAddress = need.peer ?? `${this.remoteHost}:${this.remotePort}`
    this.localAddress = `${plainHost(need.socket.localAddress)}:${need.socket.localPort ?? 0}`
    this.#splitter = new FrameSplitter({
      maxBytes: need.limits.frameBytesMax,
      onFrame: (bytes, start, end) => this.#receive(bytes, start, end),
    })
    need.socket.setNoDelay(true)
    need.socket.on('data', (chunk: Buffer) => this.#read(chunk))
    need.socket.on('drain', () => this.#balance())
    need.socket.on('error', () => this.#finish('broken'))
    need.socket.on('end', () => this.#finish('ended by the peer'))
    need.socket.on('close', () => this.#finish('the socket is gone'))
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Requests of the peer not answered yet. */
  get requestsInFlight(): number {
    return this.#requests.count
  }

  /** Bytes that wait to leave. */
  get outgoingBytes(): number {
    return this.#writer.bytes + this.#socket.writableLength
  }

  /** False: a request of ours would be refused, because too much waits for the peer. */
  get hasRoom(): boolean {
    const { invocationsMax, outgoingBytesRequestMax } = this.#limits
    return this.#invocations.size < invocationsMax && this.outgoingBytes <= outgoingBytesRequestMax
  }

  /** Calls `listener` once when the connection is gone; at once when it is gone already. */
  onClose(listener: CloseListener): void {
    if (this.#closed) listener(this)
    else this.#closeListeners.add(listener)
  }

  /**
   * Sends a request; resolves with the answer, whatever its code. Rejects with REMOTING_TIMEOUT,
   * REMOTING_CONNECTION_CLOSED or REMOTING_TOO_MANY_REQUESTS.
   */
  invoke(request: Request, timeoutMs: number): Promise<RemotingCommand> {
    return new Promise((resolve, reject) => {
      this.invokeCallback(request, timeoutMs, (error, response) => {
        if (response === undefined) reject(error ?? this.#closedError())
        else resolve(response)
      })
    })
  }

  /** As `invoke`, without a promise. `done` may be called before this returns, when the request is refused. */
  invokeCallback(request: Request, timeoutMs: number, done: OnResponse): void {
    const refusal = this.#refusal()
    if (refusal !== undefined) return done(refusal, undefined)
    const opaque = this.#invocations.nextOpaque()
    this.#invocations.add(opaque, this.#clock.monotonicMs() + timeoutMs, done)
    this.#writeRequest(request, opaque, 0)
  }

  /** Sends a request that has no answer. False: it was refused, because the connection is closed or over its limits. */
  invokeOneway(request: Request): boolean {
    if (this.#refusal() !== undefined) return false
    this.#writeRequest(request, this.#invocations.nextOpaque(), Flag.ONEWAY)
    return true
  }

  /**
   * Cuts the connection at once; what was written leaves if the peer takes it now. What waits for an answer fails with
   * REMOTING_CONNECTION_CLOSED.
   */
  close(reason = 'closed here'): void {
    this.#flush()
    this.#finish(reason)
  }

  /** Takes no more requests, and closes when those in flight are answered and everything left. */
  drain(): void {
    this.#draining = true
    this.#pauseReading()
    this.#endWhenDrained()
  }

  /** Looks at the deadlines. Whoever owns the connection calls this when one is due, or every SWEEP_MS. */
  sweep(nowMs: number): void {
    if (this.#closed) return
    this.#invocations.sweep(nowMs, this.remoteAddress)
    if (this.#slowSinceMs !== undefined && nowMs - this.#slowSinceMs > this.#limits.slowReaderMs) {
      return this.#cut('the peer reads too slowly', { outgoingBytes: this.outgoingBytes })
    }
    const idleMs = nowMs - this.#lastActivityMs
    if (idleMs > this.#limits.idleMs) this.#finish('idle')
    else if (idleMs > RELEASE_AFTER_MS) this.#writer.release()
  }

  #read(chunk: Buffer): void {
    if (this.#closed) return
    this.#lastActivityMs = this.#clock.monotonicMs()
    const first = !this.#receivedAny
    this.#receivedAny = true
    if (first && chunk[0] === TLS_HANDSHAKE) return this.#cut('the peer speaks TLS, which is not supported', {})
    try {
      this.#splitter.push(chunk)
    } catch (error) {
      // What a handler throws is our own bug and must end the node.
      if (!isBadFrame(error)) throw error
      this.#refuseBytes(error)
    }
  }

  /** Takes one frame from the splitter. False: read no further. */
  #receive(bytes: Buffer, start: number, end: number): boolean {
    let command: RemotingCommand
    try {
      command = decodeCommand(bytes, start, end)
    } catch (error) {
      if (!isBadFrame(error)) throw error
      this.#refuseBytes(error)
      return false
    }
    if (command.isResponse) this.#invocations.settle(command)
    else this.#request(command, end - start)
    return !this.#closed
  }

  #request(command: RemotingCommand, frameBytes: number): void {
    const isAdmitted = this.#requests.add(frameBytes)
    const call = new IncomingCall(this, { command, frameBytes }, this.#on)
    if (isAdmitted) this.#router.dispatch(call)
    else call.respond({ code: ResponseCode.SYSTEM_BUSY, remark: BUSY_REMARK })
    this.#balance()
  }

  /** The call holds nothing in flight any more; `reply` is undefined for a one-way request. */
  readonly #onAnswer = ({ command, frameBytes }: IncomingCall, reply: Reply | undefined): void => {
    // A connection that is gone gave everything back when it went.
    if (this.#closed) return
    this.#requests.answered(frameBytes)
    if (reply !== undefined) {
      const { form, opaque } = command
      const head = {
        form,
        opaque,
        code: reply.code,
        language: LanguageCode.JAVA,
        version: PROTOCOL_VERSION,
        flag: Flag.RESPONSE,
      }
      this.#writer.write(head, reply.header, reply.remark, reply.body)
      this.#wrote()
    }
    if (this.#draining) this.#endWhenDrained()
  }

  readonly #onHold = (bytes: number): void => {
    if (this.#closed) return
    this.#requests.hold(bytes)
    this.#balance()
  }

  readonly #on = { answer: this.#onAnswer, hold: this.#onHold }

  #writeRequest(request: Request, opaque: number, flag: number): void {
    const head = {
      form: request.form ?? SerializeType.JSON,
      code: request.code,
      language: request.language ?? LanguageCode.JAVA,
      version: request.version ?? PROTOCOL_VERSION,
      opaque,
      flag,
    }
    this.#writer.write(head, request.header, undefined, request.body)
    this.#wrote()
  }

  #wrote(): void {
    if (this.#writer.bytes >= FLUSH_BYTES) return this.#flush()
    if (this.#flushAsked) return
    this.#flushAsked = true
    this.#clock.endOfTurn(this.#flushAtEndOfTurn)
  }

  readonly #flushAtEndOfTurn = (): void => {
    this.#flushAsked = false
    this.#flush()
  }

  #flush(): void {
    if (this.#closed) return
    const pieces = this.#writer.take()
    if (pieces.length > 0) {
      this.#lastActivityMs = this.#clock.monotonicMs()
      if (pieces.length > 1) this.#socket.cork()
      for (const piece of pieces) this.#socket.write(piece)
      if (pieces.length > 1) this.#socket.uncork()
    }
    this.#balance()
    if (this.#draining) this.#endWhenDrained()
  }

  /** Reads on, or not, by what is in flight in both directions. */
  #balance(): void {
    if (this.#closed) return
    const outgoing = this.outgoingBytes
    if (outgoing > this.#limits.outgoingBytesHardMax) {
      return this.#cut('too many bytes wait for the peer', { outgoingBytes: outgoing })
    }
    const slow = outgoing > this.#limits.outgoingBytesSoftMax
    if (!slow) this.#slowSinceMs = undefined
    else this.#slowSinceMs ??= this.#clock.monotonicMs()
    if (slow || this.#requests.isFull || this.#draining) this.#pauseReading()
    else this.#resumeReading()
  }

  #pauseReading(): void {
    if (this.#readingPaused) return
    this.#readingPaused = true
    this.#socket.pause()
  }

  #resumeReading(): void {
    if (!this.#readingPaused) return
    this.#readingPaused = false
    this.#socket.resume()
  }

  #endWhenDrained(): void {
    if (this.#closed || this.#ended || this.#requests.count > 0 || this.#writer.bytes > 0) return
    this.#ended = true
    // end() flushes what the socket holds; 'close' then finishes here.
    this.#socket.end(() => this.#finish('drained'))
  }

  #refusal(): Error | undefined {
    if (this.#closed || this.#draining) return this.#closedError()
    if (this.hasRoom) return undefined
    const waiting = `${this.#invocations.size} requests wait for answers, ${this.outgoingBytes} bytes wait to leave`
    return remotingErrors.create('REMOTING_TOO_MANY_REQUESTS', `${waiting} to ${this.remoteAddress}`)
  }

  #closedError(why = ''): Error {
    return remotingErrors.create('REMOTING_CONNECTION_CLOSED', `${this.remoteAddress}: connection closed${why}`)
  }

  #refuseBytes(error: unknown): void {
    this.#cut('the peer sent what is no remoting command', { error: errorMessage(error) })
  }

  #cut(message: string, fields: object): void {
    if (this.#closed) return
    this.#log.warn({ peer: this.remoteAddress, ...fields }, `connection closed: ${message}`)
    this.#finish(message)
  }

  #finish(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#requests.clear()
    this.#socket.destroy()
    this.#log.debug({ peer: this.remoteAddress, reason }, 'connection gone')
    this.#invocations.failAll(this.#closedError(`: ${reason}`))
    const listeners = [...this.#closeListeners]
    this.#closeListeners.clear()
    for (const listener of listeners) listener(this)
  }
}

function isBadFrame(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'REMOTING_FRAME_MALFORMED' || code === 'REMOTING_FRAME_TOO_LARGE'
}
