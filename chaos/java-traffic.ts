/** The stock Java client: one process with producers and a consumer, `java/RecordedLoad.java`. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { systemClock } from '../src/lib/clock.ts'
import { linesOf, startJava, stop } from '../test/interop/support/java.ts'
import { programClassPath } from '../test/interop/support/maven.ts'
import { checkout } from '../test/interop/support/places.ts'
import { parseJavaEvent, type JavaEvent } from './java-events.ts'
import type { Traffic, TrafficRequest } from './traffic.ts'

const READY_WITHIN_MS = 60_000
/** Every send of the client is over by its own timeout of 3 s, retries included. */
const STOPPED_WITHIN_MS = 30_000
const CLOSED_WITHIN_MS = 10_000
const LAST_WORDS = 4_096

/** The class path of the program; compiled when it has changed. Rejects where Maven cannot resolve the client. */
export const javaProgram = (): Promise<string> =>
  programClassPath('client-5.5', join(checkout, 'chaos/java/RecordedLoad.java'))

export class JavaTraffic implements Traffic {
  readonly #request: TrafficRequest
  readonly #pullRetryMs: number | undefined
  readonly #waiting = new Map<string, () => void>()
  #child: ChildProcess | undefined
  /** What is to be added to the program's times, in ms; undefined before its first line. */
  #shiftMs: number | undefined
  #lastMs = 0
  #said = ''

  /** `pullRetryMs`: `pullTimeDelayMillsWhenException` of the consumer; left as it is where undefined. */
  constructor(request: TrafficRequest, pullRetryMs?: number) {
    this.#request = request
    this.#pullRetryMs = pullRetryMs
  }

  async start(): Promise<void> {
    const { namesrv, topic, run, group, ratePerSecond } = this.#request
    const retryMs = this.#pullRetryMs
    const child = startJava({
      classPath: await javaProgram(),
      main: 'RecordedLoad',
      arguments: [namesrv, topic, run, group, String(ratePerSecond), ...(retryMs === undefined ? [] : [`${retryMs}`])],
      properties: { 'rocketmq.client.logUseSlf4j': 'false' },
    })
    this.#child = child
    child.stderr?.on('data', (chunk: Buffer) => (this.#said = (this.#said + chunk.toString()).slice(-LAST_WORDS)))
    child.stdin?.on('error', () => {})
    linesOf(child, (line) => {
      const event = parseJavaEvent(line, topic)
      if (event !== undefined) this.#take(event)
    })
    await this.#told('ready', READY_WITHIN_MS)
  }

  async stopSends(): Promise<void> {
    if (this.#child === undefined) return
    const stopped = this.#told('stopped', STOPPED_WITHIN_MS)
    this.#child.stdin?.write('stop\n')
    await stopped
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null) return
    const exit = once(child, 'exit')
    child.stdin?.end()
    const timer = systemClock.after(CLOSED_WITHIN_MS, () => void stop(child))
    await exit
    timer.cancel()
  }

  #take(event: JavaEvent): void {
    this.#shiftMs ??= systemClock.monotonicMs() - event.atMs
    const atMs = Math.max(this.#lastMs, event.atMs + this.#shiftMs)
    this.#lastMs = atMs
    if (event.type === 'ready' || event.type === 'stopped') return this.#waiting.get(event.type)?.()
    const { history, record, deliveries } = this.#request
    history.append({ ...event, atMs })
    if (event.type === 'acknowledged') record.took(atMs)
    if (event.type === 'received') deliveries.took(event.queue, event.queueOffset, atMs)
  }

  /** Resolves when the program says so; rejects when it ends before, or is late. */
  #told(what: 'ready' | 'stopped', withinMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = (): void => reject(new Error(`the Java client is not ${what} after ${withinMs} ms\n${this.#said}`))
      const timer = systemClock.after(withinMs, late)
      this.#child?.once('exit', (code) => reject(new Error(`the Java client ended with code ${code}\n${this.#said}`)))
      this.#waiting.set(what, () => {
        timer.cancel()
        resolve()
      })
    })
  }
}
