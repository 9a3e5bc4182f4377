/** How often a message came back: a signed 32-bit number in every record. */

const TIMES_MAX = 2_147_483_647

/** One time more. Stays at the greatest that a record holds: a forged number must not become a negative one. */
export function oneMoreTime(reconsumeTimes: number): number {
  return Math.min(reconsumeTimes + 1, TIMES_MAX)
}
