/**
 * 64-bit big-endian integers as safe integers, over two 32-bit halves: no BigInt on hot paths, none outside codecs.
 */

const TWO_32 = 4294967296

/** Writes a signed 64-bit integer. `value` is a safe integer. */
export function writeInt64(target: Uint8Array, at: number, value: number): void {
  writeInt32(target, at, Math.floor(value / TWO_32))
  writeInt32(target, at + 4, value)
}

/** Writes the low 32 bits of `value`, signed or unsigned. */
export function writeInt32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24
  target[at + 1] = value >>> 16
  target[at + 2] = value >>> 8
  target[at + 3] = value
}

/** Reads a signed 64-bit integer; NaN when a double does not hold it exactly (only damaged bytes say such a number). */
export function readInt64(source: Buffer, at: number): number {
  const high = source.readInt32BE(at)
  const low = source.readUInt32BE(at + 4)
  // The safe integers are those from -(2^53 - 1) to 2^53 - 1.
  if (high >= 0x200000 || high < -0x200000 || (high === -0x200000 && low === 0)) return Number.NaN
  return high * TWO_32 + low
}
