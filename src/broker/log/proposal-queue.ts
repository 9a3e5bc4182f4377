/** What was admitted and is not proposed yet, in its order; and how it becomes entries. */
import type { Item } from './proposal-flight.ts'

export interface ProposalQueueOptions {
  readonly maxEntryBytes: number
}

const MAX_ENTRY_RECORDS = 4096
/** Taken items at the front that are kept before the rest moves up. */
const MAX_TAKEN = 1024

export class ProposalQueue {
  readonly #options: ProposalQueueOptions
  #items: Item[] = []
  /** Items before this place were taken. */
  #head = 0
  #bytes = 0
  #heldUntilMs = -Infinity

  constructor(options: ProposalQueueOptions) {
    this.#options = options
  }

  get bytes(): number {
    return this.#bytes
  }

  get isEmpty(): boolean {
    return this.#head === this.#items.length
  }

  push(item: Item): void {
    this.#items.push(item)
    this.#bytes += item.bytes
  }

  /**
   * The items of the next entry, of at most `room` bytes together; `atLeastOne`, whatever its size. One command (with its
   * records) is one entry.
   */
  take(room: number, atLeastOne: boolean): readonly Item[] {
    const first = this.#items[this.#head]
    if (first === undefined || (first.bytes > room && !atLeastOne)) return []
    const maxBytes = Math.min(this.#options.maxEntryBytes, room)
    let bytes = first.bytes
    let { records } = first
    let end = this.#head + 1
    for (; first.command === undefined && end < this.#items.length; end++) {
      const item = this.#items[end]
      if (item === undefined || item.command !== undefined) break
      if (bytes + item.bytes > maxBytes || records + item.records > MAX_ENTRY_RECORDS) break
      bytes += item.bytes
      records += item.records
    }
    const taken = this.#items.slice(this.#head, end)
    this.#head = end
    this.#bytes -= bytes
    if (this.isEmpty || this.#head > MAX_TAKEN) this.#moveUp()
    return taken
  }

  takeAll(): readonly Item[] {
    this.#moveUp()
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    return items
  }

  /**
   * Those that waited too long: records for `patienceMs`, commands for as long as their requests do. `isHeld`: leadership is
   * on its way to another node, and until that is decided records wait like commands.
   */
  takeExpired(nowMs: number, patienceMs: number, isHeld: boolean): readonly Item[] {
    if (isHeld) this.#heldUntilMs = nowMs
    const isOver = ({ command, deadlineMs, queuedMs }: Item): boolean =>
      nowMs >= deadlineMs || (command === undefined && nowMs - Math.max(queuedMs, this.#heldUntilMs) >= patienceMs)
    this.#moveUp()
    if (!this.#items.some(isOver)) return []
    const expired = this.#items.filter(isOver)
    this.#items = this.#items.filter((item) => !isOver(item))
    for (const { bytes } of expired) this.#bytes -= bytes
    return expired
  }

  #moveUp(): void {
    if (this.#head > 0) this.#items = this.#items.slice(this.#head)
    this.#head = 0
  }
}
