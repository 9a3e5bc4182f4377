import type { ChildProcess } from 'node:child_process'
import { linesOf, startJava, stop } from './java.ts'
import { driverClassPath, type Release } from './maven.ts'
import { parseJson, shaped } from './json.ts'

export interface Failure {
  readonly class: string
  readonly code: number
  readonly message: string
}

export interface Sent {
  readonly status: string
  readonly msgId: string
  readonly offsetMsgId: string
  readonly broker: string
  readonly queueId: number
  readonly queueOffset: number
  /** Of a 5.x client, for a message that waits for a time of its own. */
  readonly recallHandle: string | null
  /** Of a transaction: what its listener said at the send. */
  readonly state?: string
  readonly error?: Failure
}

export interface Received {
  readonly ev: 'message'
  readonly t: number
  readonly consumer: string
  readonly topic: string
  readonly tags: string | null
  readonly keys: string | null
  readonly queueId: number
  readonly queueOffset: number
  readonly reconsumeTimes: number
  readonly msgId: string
  readonly flag: number
  readonly bornTimestamp: number
  readonly storeTimestamp: number
  readonly bodyBytes: number
  readonly bodyHash: number
  readonly body: string | null
  readonly properties: Readonly<Record<string, string>>
}

export interface LoadEvent {
  readonly ev: 'ack' | 'nack'
  readonly t: number
  readonly body: string
  readonly error?: Failure
}

type Event = Received | LoadEvent

/** The client refused or the broker did: `code` is the broker's response code, -1 where there was none. */
export class ClientError extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(`${failure.class} (code ${failure.code}): ${failure.message}`)
    this.failure = failure
  }
}

export interface DriverOptions {
  readonly release: Release
  readonly namesrv: string
  readonly serializer?: 'JSON' | 'ROCKETMQ'
  readonly clientIp?: string
}

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** One JVM with a stock client in it (java/Driver.java), as an object. */
export class Driver {
  readonly events: Event[] = []
  readonly #child: ChildProcess
  readonly #fixed: Readonly<Record<string, string>>
  readonly #waiting = new Map<number, Waiting>()
  #next = 1
  #stderr = ''
  #down: Error | undefined

  private constructor(child: ChildProcess, fixed: Readonly<Record<string, string>>) {
    this.#child = child
    this.#fixed = fixed
  }

  static async start(options: DriverOptions): Promise<Driver> {
    const child = startJava({
      classPath: await driverClassPath(options.release),
      main: 'Driver',
      properties: {
        'rocketmq.serialize.type': options.serializer ?? 'JSON',
        'rocketmq.client.logUseSlf4j': 'false',
      },
    })
    const fixed = {
      namesrv: options.namesrv,
      ...(options.clientIp === undefined ? {} : { clientIp: options.clientIp }),
    }
    const driver = new Driver(child, fixed)
    await driver.#ready()
    return driver
  }

  async #ready(): Promise<void> {
    const child = this.#child
    child.stderr?.on('data', (chunk: Buffer) => (this.#stderr = (this.#stderr + chunk.toString()).slice(-8_192)))
    child.stdin?.on('error', () => {})
    await new Promise<void>((resolve, reject) => {
      linesOf(child, (line) => {
        if (!line.startsWith('{')) return
        // The driver's own lines; their shapes are the interfaces above.
        const said = parseJson<{ ev?: string; re?: number; value?: unknown; error?: Failure }>(line)
        if (said.re !== undefined) this.#answer(said.re, said)
        else if (said.ev === 'ready') resolve()
        else this.events.push(shaped<Event>(said))
      })
      child.once('exit', (code) => {
        this.#down = new Error(`the Java client ended with code ${code}\n${this.#stderr}`)
        for (const waiting of this.#waiting.values()) waiting.reject(this.#down)
        reject(this.#down)
      })
    })
  }

  #answer(seq: number, said: { value?: unknown; error?: Failure }): void {
    const waiting = this.#waiting.get(seq)
    this.#waiting.delete(seq)
    if (said.error === undefined) waiting?.resolve(said.value)
    else waiting?.reject(new ClientError(said.error))
  }

  /** Calls one operation of Driver.java; its value is of the shape that operation documents. */
  async call<T>(op: string, values: Readonly<Record<string, string | number>> = {}): Promise<T> {
    if (this.#down !== undefined) throw this.#down
    const seq = this.#next++
    const fields = Object.entries({ ...this.#fixed, ...values }).map(
      ([key, value]) => `${key}=${encodeURIComponent(value)}`,
    )
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(seq, { resolve, reject }))
    this.#child.stdin?.write(`${[seq, op, ...fields].join('\t')}\n`)
    return shaped<T>(await answer)
  }

  async send(id: string, values: Readonly<Record<string, string | number>>): Promise<Sent[]> {
    return this.call<Sent[]>('send', { id, ...values })
  }

  received(consumer: string): Received[] {
    return this.events.filter((event): event is Received => event.ev === 'message' && event.consumer === consumer)
  }

  get said(): string {
    return this.#stderr
  }

  async close(): Promise<void> {
    await stop(this.#child)
  }
}
