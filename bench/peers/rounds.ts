/**
 * How two are compared on a machine that drifts: in rounds, each with one turn of everybody, one after the other. A ratio
 * is taken inside a round, where both saw the same machine, and what is told is the median of the rounds' ratios. Pure.
 */
import type { Bar } from '../scenario.ts'
import { median, spreadOf } from '../../src/report/statistics.ts'

export const LEAST_ROUNDS = 3
/** Where a ratio is close to its bar. */
export const MOST_ROUNDS = 9
/** The median is close to a bar when it is nearer than this share of it. */
const CLOSE = 0.15

/** Ours to theirs, round by round. Rounds in which either is missing are left out. */
export function ratiosOf(
  ours: readonly (number | undefined)[],
  theirs: readonly (number | undefined)[],
): readonly number[] {
  return ours.flatMap((our, round) => {
    const their = theirs[round]
    return our === undefined || their === undefined || their === 0 ? [] : [our / their]
  })
}

/** Whether so few rounds leave open on which side of the bar the ratio lies: it is near, or the rounds disagree. */
export function isClose(ratios: readonly number[], bar: Bar): boolean {
  if (ratios.length === 0) return false
  const { min, max } = spreadOf(ratios)
  const isNear = Math.abs(median(ratios) / bar.value - 1) < CLOSE
  return isNear || (min < bar.value && max > bar.value)
}

/** Ratios with bars, as measured so far. */
export interface Judged {
  readonly ratios: readonly number[]
  readonly bar: Bar
}

/** Whether another round is to be made after `done` of them. `fixed`: so many and no more. */
export function needsRound(done: number, judged: readonly Judged[], fixed?: number): boolean {
  if (fixed !== undefined) return done < fixed
  if (done < LEAST_ROUNDS) return true
  return done < MOST_ROUNDS && judged.some(({ ratios, bar }) => isClose(ratios, bar))
}
