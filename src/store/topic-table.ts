/**
 * Topics by their bytes: a record carries its topic in UTF-8, and with many topics making a string for each record to look
 * it up costs more than all else that finds its queue. Open addressing, linear probing, at most half full.
 */
import { javaHashCodeOfBytes } from '../message/tags-code.ts'

export interface TopicRow {
  /** The topic in UTF-8, as records carry it. */
  readonly bytes: Buffer
  /** Java's hash code of the topic. */
  readonly hash: number
}

const SLOTS_MIN = 64

export class TopicTable<Row extends TopicRow> {
  #hashes = new Int32Array(SLOTS_MIN)
  #rows: (Row | undefined)[] = emptySlots(SLOTS_MIN)
  #count = 0

  /** The topic `bytes[start, start + length)`; `hash` is `topicHash` of it. */
  find(bytes: Buffer, start: number, length: number, hash: number): Row | undefined {
    const mask = this.#rows.length - 1
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const row = this.#rows[slot]
      if (row === undefined) return undefined
      if (this.#hashes[slot] === hash && isTopic(row.bytes, bytes, start, length)) return row
    }
  }

  /** Adds a topic that is not there. */
  add(row: Row): void {
    if (this.#count * 2 >= this.#rows.length) this.#rebuild(this.#rows.length * 2)
    this.#place(row)
  }

  /** Takes a topic out. */
  remove(row: Row): void {
    this.#rebuild(this.#rows.length, row)
  }

  clear(): void {
    this.#hashes = new Int32Array(SLOTS_MIN)
    this.#rows = emptySlots(SLOTS_MIN)
    this.#count = 0
  }

  #place(row: Row): void {
    const mask = this.#rows.length - 1
    let slot = spread(row.hash) & mask
    while (this.#rows[slot] !== undefined) slot = (slot + 1) & mask
    this.#rows[slot] = row
    this.#hashes[slot] = row.hash
    this.#count++
  }

  #rebuild(slots: number, without?: Row): void {
    const rows = this.#rows
    this.#hashes = new Int32Array(slots)
    this.#rows = emptySlots(slots)
    this.#count = 0
    for (const row of rows) if (row !== undefined && row !== without) this.#place(row)
  }
}

export function topicHash(bytes: Buffer, start: number, length: number): number {
  return javaHashCodeOfBytes(bytes, start, start + length)
}

export function isTopic(topic: Buffer, bytes: Buffer, start: number, length: number): boolean {
  if (topic.length !== length) return false
  for (let i = 0; i < length; i++) if (topic[i] !== bytes[start + i]) return false
  return true
}

/** Names that differ in their last digits lie side by side otherwise. */
function spread(hash: number): number {
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 12
}

function emptySlots<Row>(slots: number): (Row | undefined)[] {
  return Array.from({ length: slots }, () => undefined)
}
