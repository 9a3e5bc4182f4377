/**
 * Short texts that come again and again (topics, groups, broker names), so that each is made a string once. Bounded: a
 * slot keeps the last text that fell on it.
 */

interface Entry {
  readonly bytes: Uint8Array
  readonly text: string
}

const SLOTS = 1024
const CACHED_BYTES_MAX = 64

const slots: (Entry | undefined)[] = Array.from({ length: SLOTS })

function cachedEntry(bytes: Buffer, start: number, end: number): Entry {
  const length = end - start
  let hash = length
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] ?? 0)) | 0
  const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1)
  const entry = slots[slot]
  if (entry !== undefined && isSame(entry.bytes, bytes, start, length)) return entry
  const made = { bytes: Uint8Array.prototype.slice.call(bytes, start, end), text: bytes.toString('utf8', start, end) }
  slots[slot] = made
  return made
}

function isSame(cached: Uint8Array, bytes: Buffer, start: number, length: number): boolean {
  if (cached.length !== length) return false
  for (let i = 0; i < length; i++) if (cached[i] !== bytes[start + i]) return false
  return true
}

/** The text that came last at one place, in front of the cache of all. */
export class LastText {
  #entry: Entry = { bytes: new Uint8Array(0), text: '' }

  /** The UTF-8 text in `bytes` from `start` to `end`. */
  read(bytes: Buffer, start: number, end: number): string {
    if (end - start > CACHED_BYTES_MAX) return bytes.toString('utf8', start, end)
    if (isSame(this.#entry.bytes, bytes, start, end - start)) return this.#entry.text
    this.#entry = cachedEntry(bytes, start, end)
    return this.#entry.text
  }
}
