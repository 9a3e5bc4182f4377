/**
 * Chance is handed in. Only this file draws random numbers; the simulator hands in seeded generators so that one seed
 * gives one run, byte for byte.
 */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [low, high], both included. */
  integer(low: number, high: number): number
}

/** The machine's own randomness, for production. */
export const systemRandom: Random = fromUniform(() => Math.random())

/** A seeded generator (mulberry32): equal seeds give equal sequences on every platform. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return fromUniform(() => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  })
}

function fromUniform(next: () => number): Random {
  return { next, integer: (low, high) => low + Math.floor(next() * (high - low + 1)) }
}
