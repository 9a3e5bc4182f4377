/** Links between nodes: delay (and so reordering), loss, duplication, one-way and two-way cuts. */
import type { Random } from '../../src/lib/prng.ts'
import type { Envelope } from '../../src/raft/ports.ts'
import type { Counts } from '../world/counts.ts'
import type { Scheduler } from '../world/scheduler.ts'

export interface NetworkFaults {
  readonly dropRate: number
  readonly duplicateRate: number
  /** Messages of one link keep their order, as on a connection, except for this share. */
  readonly reorderRate: number
  readonly maxDelayMs: number
}

export interface Parcel {
  readonly from: string
  readonly to: string
  /** Which process of `from` sent it. */
  readonly incarnation: number
  readonly envelope: Envelope
}

export interface NetworkNeeds {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly deliver: (parcel: Parcel) => void
  readonly counts: Counts
}

export const calm: NetworkFaults = { dropRate: 0, duplicateRate: 0, reorderRate: 0, maxDelayMs: 1 }

export class Network {
  readonly #scheduler: Scheduler
  readonly #random: Random
  readonly #deliver: (parcel: Parcel) => void
  readonly #cut = new Set<string>()
  readonly #lastMs = new Map<string, number>()
  readonly #counts: Counts
  faults: NetworkFaults = calm
  /** Drops what it says, for scripted runs. */
  filter: ((parcel: Parcel) => boolean) | undefined

  constructor({ scheduler, random, deliver, counts }: NetworkNeeds) {
    this.#scheduler = scheduler
    this.#random = random
    this.#deliver = deliver
    this.#counts = counts
  }

  send(parcel: Parcel): void {
    const link = `${parcel.from}>${parcel.to}`
    if (this.#cut.has(link) || this.filter?.(parcel) === false) return
    if (this.#random.next() < this.faults.dropRate) return this.#counts.add('lost message')
    this.#carry(link, parcel)
    if (this.#random.next() >= this.faults.duplicateRate) return
    this.#counts.add('duplicated message')
    this.#carry(link, parcel)
  }

  cut(from: string, to: string): void {
    this.#cut.add(`${from}>${to}`)
  }

  isolate(node: string, others: readonly string[]): void {
    for (const other of others) {
      if (other === node) continue
      this.cut(node, other)
      this.cut(other, node)
    }
  }

  /** Undoes what cuts `node` off. */
  rejoin(node: string): void {
    for (const link of this.#cut) if (link.split('>').includes(node)) this.#cut.delete(link)
  }

  heal(): void {
    this.#cut.clear()
  }

  #carry(link: string, parcel: Parcel): void {
    const delayMs = 0.05 + this.#random.next() * this.faults.maxDelayMs
    let atMs = this.#scheduler.nowMs + delayMs
    if (this.#random.next() >= this.faults.reorderRate) {
      atMs = Math.max(atMs, this.#lastMs.get(link) ?? 0)
      this.#lastMs.set(link, atMs)
    } else this.#counts.add('reordered message')
    this.#scheduler.at(atMs, () => {
      // What is on the way when a link is cut is lost.
      if (!this.#cut.has(link)) this.#deliver(parcel)
    })
  }
}
