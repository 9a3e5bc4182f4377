/**
 * Judges over a history. They look at messages as (producer, sequence) and at places as (queue, queueOffset):
 *
 * | finding | meaning |
 * | --- | --- |
 * | lost | acknowledged, and a reader that read everything did not see it |
 * | duplicated | lies in two places although no attempt of its send was undecided |
 * | resurrected | reported as certainly not stored, and yet there |
 * | moved | acknowledged at one place, found at another |
 * | changed | one place held two different messages, at different times or for different readers |
 * | disordered | a queue holds an acknowledged message before one that the same producer had acknowledged earlier there |
 * | hole | a reader saw queueOffsets on both sides of one it did not see |
 *
 * Not checked: messages of foreign producers; the content of bodies beyond producer and sequence.
 */
import type { HistoryEvent } from './history.ts'
import type { MessageName } from './workload.ts'

export type FindingKind = 'lost' | 'duplicated' | 'resurrected' | 'moved' | 'changed' | 'disordered' | 'hole'

export interface Finding {
  readonly kind: FindingKind
  /** For people: which message, which place. */
  readonly text: string
}

export interface Report {
  /** At most `maxFindings`; `counts` has them all. */
  readonly findings: readonly Finding[]
  readonly counts: Readonly<Record<FindingKind, number>>
  /** Which messages some reader did not find, each once. */
  readonly lost: readonly MessageName[]
  readonly sent: number
  readonly acknowledged: number
  readonly failed: number
  readonly undecided: number
  readonly received: number
  /** Deliveries of a place that the same reader had seen: allowed, consumption is at least once. */
  readonly redelivered: number
  /** Messages that lie twice because an answer was lost: allowed. */
  readonly doubled: number
}

export interface CheckOptions {
  /**
   * Producers that wait for each acknowledgement before they send the next message to the same queue. Only then is the
   * order in the queue the order of sending.
   */
  readonly isOrdered: (producer: number) => boolean
  /** Whether the readers were to see every message. False: `lost` and `hole` are not judged. */
  readonly isComplete: boolean
  /** Whether retention dropped what lay in front: no reader is asked for more of a queue than from its first place on. */
  readonly beginsLate?: boolean
  readonly maxFindings?: number
}

/** A message as one number: the history of a long run fits into memory. */
type MessageNumber = number
const SEQUENCES = 2 ** 40

type Fate = 'acknowledged' | 'failed' | 'undecided' | 'doubtful'

interface Reader {
  /** queue → queueOffset → message. */
  readonly places: Map<string, Map<number, MessageNumber>>
  /** queue → its lowest queueOffset here. */
  readonly firsts: Map<string, number>
  redelivered: number
}

const noFindings: Readonly<Record<FindingKind, number>> = {
  lost: 0,
  duplicated: 0,
  resurrected: 0,
  moved: 0,
  changed: 0,
  disordered: 0,
  hole: 0,
}

/** Reads the history once. */
export async function checkHistory(
  events: AsyncIterable<HistoryEvent> | Iterable<HistoryEvent>,
  options: CheckOptions,
): Promise<Report> {
  const book = new Book(options)
  for await (const event of events) book.take(event)
  return book.report()
}

class Book {
  readonly #options: CheckOptions
  readonly #fates = new Map<MessageNumber, Fate>()
  readonly #acknowledgedAt = new Map<MessageNumber, string>()
  readonly #readers = new Map<string, Reader>()
  readonly #findings: Finding[] = []
  readonly #counts: Record<FindingKind, number> = { ...noFindings }
  readonly #lost = new Set<MessageNumber>()
  /** queue and producer → last acknowledged [sequence, queueOffset], in the order of acknowledgement. */
  readonly #lastAcknowledged = new Map<string, { sequence: number; queueOffset: number }>()
  #sent = 0
  #received = 0

  constructor(options: CheckOptions) {
    this.#options = options
  }

  take(event: HistoryEvent): void {
    if (event.type === 'note') return
    if (event.type === 'sent') {
      this.#sent += 1
      return
    }
    const message = event.producer * SEQUENCES + event.sequence
    if (event.type === 'received') return this.#takeReceived(event, message)
    if (event.type === 'acknowledged') {
      this.#fates.set(message, event.mayBeTwice ? 'doubtful' : 'acknowledged')
      this.#acknowledgedAt.set(message, place(event.queue, event.queueOffset))
      if (this.#options.isOrdered(event.producer)) this.#checkOrder(event)
      return
    }
    this.#fates.set(message, event.type)
  }

  #takeReceived(event: Extract<HistoryEvent, { type: 'received' }>, message: MessageNumber): void {
    this.#received += 1
    const reader = this.#readers.get(event.reader) ?? { places: new Map(), firsts: new Map(), redelivered: 0 }
    this.#readers.set(event.reader, reader)
    const queue = reader.places.get(event.queue) ?? new Map<number, MessageNumber>()
    reader.places.set(event.queue, queue)
    reader.firsts.set(event.queue, Math.min(event.queueOffset, reader.firsts.get(event.queue) ?? Infinity))
    const before = queue.get(event.queueOffset)
    if (before === undefined) queue.set(event.queueOffset, message)
    else if (before === message) reader.redelivered += 1
    else {
      const at = place(event.queue, event.queueOffset)
      this.#find('changed', `${at} held ${name(before)}, then ${name(message)}, for reader ${event.reader}`)
    }
  }

  #checkOrder(event: Extract<HistoryEvent, { type: 'acknowledged' }>): void {
    const key = `${event.queue}\n${event.producer}`
    const last = this.#lastAcknowledged.get(key)
    if (last !== undefined && last.sequence < event.sequence && last.queueOffset >= event.queueOffset) {
      this.#find(
        'disordered',
        `${event.queue}: sequence ${event.sequence} of producer ${event.producer} at ${event.queueOffset}, ` +
          `sequence ${last.sequence} at ${last.queueOffset}`,
      )
    }
    if (last === undefined || last.sequence < event.sequence) {
      this.#lastAcknowledged.set(key, { sequence: event.sequence, queueOffset: event.queueOffset })
    }
  }

  report(): Report {
    const doubled = new Set<MessageNumber>()
    for (const [readerName, reader] of this.#readers) this.#judgeReader(readerName, reader, doubled)
    this.#compareReaders()
    const fates = [...this.#fates.values()]
    const countOf = (...wanted: Fate[]): number => fates.filter((fate) => wanted.includes(fate)).length
    return {
      findings: this.#findings,
      counts: this.#counts,
      lost: [...this.#lost].map(nameOf),
      sent: this.#sent,
      acknowledged: countOf('acknowledged', 'doubtful'),
      failed: countOf('failed'),
      undecided: countOf('undecided'),
      received: this.#received,
      redelivered: [...this.#readers.values()].reduce((sum, reader) => sum + reader.redelivered, 0),
      doubled: doubled.size,
    }
  }

  #judgeReader(readerName: string, reader: Reader, doubled: Set<MessageNumber>): void {
    const seen = new Map<MessageNumber, string>()
    for (const [queue, offsets] of reader.places) {
      for (const [queueOffset, message] of offsets) {
        const here = place(queue, queueOffset)
        const elsewhere = seen.get(message)
        if (elsewhere === undefined) seen.set(message, here)
        else this.#judgeTwice(message, elsewhere, here, doubled)
        if (this.#fates.get(message) === 'failed') {
          this.#find('resurrected', `${name(message)} was reported as not stored and is at ${here}`)
        }
      }
      if (this.#options.isComplete) this.#findHoles(readerName, queue, offsets)
    }
    for (const [message, acknowledgedAt] of this.#acknowledgedAt) {
      const at = seen.get(message)
      if (at === undefined) {
        if (this.#options.isComplete && !this.#isDropped(reader, acknowledgedAt)) {
          this.#lost.add(message)
          this.#find('lost', `${name(message)}, acknowledged at ${acknowledgedAt}, for reader ${readerName}`)
        }
      } else if (at !== acknowledgedAt && this.#fates.get(message) === 'acknowledged') {
        this.#find('moved', `${name(message)} was acknowledged at ${acknowledgedAt} and is at ${at}`)
      }
    }
  }

  #isDropped(reader: Reader, acknowledgedAt: string): boolean {
    if (this.#options.beginsLate !== true) return false
    const colon = acknowledgedAt.lastIndexOf(':')
    return Number(acknowledgedAt.slice(colon + 1)) < (reader.firsts.get(acknowledgedAt.slice(0, colon)) ?? 0)
  }

  #judgeTwice(message: MessageNumber, first: string, second: string, doubled: Set<MessageNumber>): void {
    const fate = this.#fates.get(message)
    if (fate === 'doubtful' || fate === 'undecided') doubled.add(message)
    else this.#find('duplicated', `${name(message)} is at ${first} and at ${second}`)
  }

  #findHoles(readerName: string, queue: string, offsets: ReadonlyMap<number, MessageNumber>): void {
    const sorted = [...offsets.keys()].sort((a, b) => a - b)
    for (const [at, queueOffset] of sorted.entries()) {
      const before = sorted[at - 1]
      if (before !== undefined && queueOffset !== before + 1) {
        this.#find('hole', `${queue}: reader ${readerName} saw ${before}, then ${queueOffset}`)
      }
    }
  }

  /** A place holds the same message for everybody. */
  #compareReaders(): void {
    const everybody = new Map<string, Map<number, MessageNumber>>()
    for (const reader of this.#readers.values()) {
      for (const [queue, offsets] of reader.places) {
        const known = everybody.get(queue) ?? new Map<number, MessageNumber>()
        everybody.set(queue, known)
        for (const [queueOffset, message] of offsets) {
          const other = known.get(queueOffset)
          if (other === undefined) known.set(queueOffset, message)
          else if (other !== message) {
            this.#find(
              'changed',
              `${place(queue, queueOffset)} is ${name(other)} for one reader, ${name(message)} for another`,
            )
          }
        }
      }
    }
  }

  #find(kind: FindingKind, text: string): void {
    this.#counts[kind] += 1
    if (this.#findings.length < (this.#options.maxFindings ?? 100)) this.#findings.push({ kind, text })
  }
}

function place(queue: string, queueOffset: number): string {
  return `${queue}:${queueOffset}`
}

function nameOf(message: MessageNumber): MessageName {
  return { producer: Math.floor(message / SEQUENCES), sequence: message % SEQUENCES }
}

function name(message: MessageNumber): string {
  const { producer, sequence } = nameOf(message)
  return `message ${producer}/${sequence}`
}
