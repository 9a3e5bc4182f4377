/**
 * Memory for bytes of the log, which come and go at the rate of the log. V8 counts what an ArrayBuffer holds outside the
 * heap against the limit of the old generation, 16 MB above what lives there, and begins to mark the whole heap whenever
 * so much came since the last time, though young collections have freed nearly all of it. A SharedArrayBuffer is not
 * counted; it is freed like any other when its last view is gone. Nothing is shared: no other thread ever sees it.
 */

/** Below this a buffer weighs less than the bookkeeping of a mapping of its own. */
const SMALL_BYTES = 16_384

/** `length` bytes of any content. */
export function uncountedMemory(length: number): Buffer {
  return length < SMALL_BYTES ? Buffer.allocUnsafe(length) : Buffer.from(new SharedArrayBuffer(length))
}
