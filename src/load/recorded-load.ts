/**
 * A steady load that is told apart afterwards: every outcome goes to a history, and acknowledgements to a record. For
 * whoever breaks something under load.
 */
import { type MessageQueue, Producer } from '../client/index.ts'
import { present } from '../lib/assert.ts'
import type { Clock } from '../lib/clock.ts'
import type { HistoryWriter } from './history.ts'
import type { LoadRecord } from './load-record.ts'
import { SendLoad, type SendLoadNeeds, type SendReport } from './send-load.ts'
import { Workload } from './workload.ts'

export interface RecordedLoadNeeds {
  readonly clock: Clock
  readonly namesrv: string
  /** It exists. */
  readonly topic: string
  /** Sets this run's messages apart from those of others. */
  readonly run: string
  readonly ratePerSecond: number
  /** Each gets a producer of its own too, which sends a message when the one before was decided. */
  readonly orderedQueues?: readonly MessageQueue[]
  readonly history: Pick<HistoryWriter, 'append'>
  readonly record: LoadRecord
}

/** Of every message. */
export const BODY_BYTES = 128
const PRODUCERS = 2
const IN_FLIGHT = 1024
/** Numbers of the producers that send in order, for the queues as they were given. */
const FIRST_ORDERED = 100
const ORDERED_PER_SECOND = 100

/** Which producers send in order, for `checkHistory`. */
export const wasOrdered = (producer: number): boolean => producer >= FIRST_ORDERED

export class RecordedLoad {
  readonly #need: RecordedLoadNeeds
  readonly #producers: readonly Producer[]
  #loads: readonly SendLoad[] = []

  constructor(need: RecordedLoadNeeds) {
    const { clock, namesrv } = need
    this.#need = need
    this.#producers = Array.from({ length: PRODUCERS }, () => new Producer({ namesrv, group: 'recorded', clock }))
  }

  async start(): Promise<void> {
    const { clock, ratePerSecond, run, topic, history, record, orderedQueues = [] } = this.#need
    await Promise.all(this.#producers.map((producer) => producer.start()))
    const queueOf = (producer: number): MessageQueue | undefined => orderedQueues[producer - FIRST_ORDERED]
    const workload = new Workload({ clock, run, topic, bodyBytes: BODY_BYTES, history, queueOf })
    const start = (from: number, how: Pick<SendLoadNeeds, 'producers' | 'inFlight' | 'ratePerSecond'>): SendLoad =>
      new SendLoad({
        ...how,
        clock,
        message: (who, sequence) => workload.message(from + who, sequence),
        onOutcome: (who, sequence, error, result) => {
          workload.outcome(from + who, sequence, error, result)
          if (error === undefined) record.took(clock.monotonicMs())
        },
      })
    const inOrder = orderedQueues.map((_, at) => present(this.#producers[at % PRODUCERS], 'a producer'))
    this.#loads = [
      start(0, { producers: this.#producers, inFlight: IN_FLIGHT, ratePerSecond }),
      ...(inOrder.length === 0
        ? []
        : [start(FIRST_ORDERED, { producers: inOrder, inFlight: 1, ratePerSecond: ORDERED_PER_SECOND })]),
    ]
  }

  /** Stops sending, and waits until what is in flight is decided. Undefined: it never started. */
  async stop(): Promise<Pick<SendReport, 'acknowledged' | 'failed' | 'undecided'> | undefined> {
    await Promise.all(this.#loads.map((load) => load.stop()))
    const reports = this.#loads.map((load) => load.report())
    await Promise.all(this.#producers.map((producer) => producer.close()))
    if (reports.length === 0) return undefined
    const sum = (what: 'acknowledged' | 'failed' | 'undecided'): number =>
      reports.reduce((all, one) => all + one[what], 0)
    return { acknowledged: sum('acknowledged'), failed: sum('failed'), undecided: sum('undecided') }
  }
}
