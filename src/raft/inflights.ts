/** Appends on their way to one follower, oldest first: how many, how many bytes, and whether more may follow. */
import type { Index } from './types.ts'

export interface Window {
  readonly maxInflightMessages: number
  readonly maxInflightBytes: number
}

export class Inflights {
  readonly #window: Window
  /** Last entry and size of each append; those before `#head` were acknowledged. */
  #last: Index[] = []
  #size: number[] = []
  #head = 0
  #bytes = 0

  constructor(window: Window) {
    this.#window = window
  }

  get count(): number {
    return this.#last.length - this.#head
  }

  get bytes(): number {
    return this.#bytes
  }

  get isOpen(): boolean {
    return this.count < this.#window.maxInflightMessages && this.#bytes < this.#window.maxInflightBytes
  }

  add(last: Index, bytes: number): void {
    this.#last.push(last)
    this.#size.push(bytes)
    this.#bytes += bytes
  }

  /** Every append that ends at or below `index` has arrived. */
  freeTo(index: Index): void {
    while (this.#head < this.#last.length && (this.#last[this.#head] ?? 0) <= index) {
      this.#bytes -= this.#size[this.#head] ?? 0
      this.#head++
    }
    // The arrays are used as a queue: cut off what was taken once it is most of them.
    if (this.#head > 64 && this.#head * 2 > this.#last.length) {
      this.#last = this.#last.slice(this.#head)
      this.#size = this.#size.slice(this.#head)
      this.#head = 0
    }
  }

  clear(): void {
    this.#last = []
    this.#size = []
    this.#head = 0
    this.#bytes = 0
  }
}
