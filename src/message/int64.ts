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

/*
 * The readers below check no bounds: beyond the end they read zeros. Buffer's own cost twice as much, for records that
 * every node takes apart.
 */

export function readInt32(source: Uint8Array, at: number): number {
  return (
    ((source[at] ?? 0) << 24) | ((source[at + 1] ?? 0) << 16) | ((source[at + 2] ?? 0) << 8) | (source[at + 3] ?? 0)
  )
}

export function readUInt32(source: Uint8Array, at: number): number {
  return readInt32(source, at) >>> 0
}

export function readUInt16(source: Uint8Array, at: number): number {
  return ((source[at] ?? 0) << 8) | (source[at + 1] ?? 0)
}

/** Reads a signed 64-bit integer; NaN when a double does not hold it exactly (only damaged bytes say such a number). */
export function readInt64(source: Uint8Array, at: number): number {
  const high = readInt32(source, at)
  const low = readUInt32(source, at + 4)
  // The safe integers are those from -(2^53 - 1) to 2^53 - 1.
  if (high >= 0x200000 || high < -0x200000 || (high === -0x200000 && low === 0)) return Number.NaN
  return high * TWO_32 + low
}
