/** The workloads beside the plain one: which of them a run has is drawn from its seed. */
import type { Random } from '../../../src/lib/prng.ts'
import { stepRandom } from '../../world/steps.ts'
import { RESERVED_HOURS } from '../node-options.ts'
import { Delayed } from './delayed.ts'
import type { MakeFeature } from './feature.ts'
import { OrderedPops } from './ordered-pops.ts'
import { Pops } from './pops.ts'
import { Recalls } from './recalls.ts'
import { Stories } from './stories.ts'
import { Transactions } from './transactions.ts'
import { Unwaited } from './unwaited.ts'

const TRANSACTIONS = 4

/** By the number of its step, by which it can be left out; those of what lasts come before. */
const features: Readonly<Record<number, MakeFeature>> = {
  3: (need) => new Delayed(need),
  [TRANSACTIONS]: (need) => new Transactions(need),
  5: (need) => new Pops(need),
  6: (need) => new Stories(need),
  7: (need) => new Unwaited(need),
  8: (need) => new Recalls(need),
  9: (need) => new OrderedPops(need),
}

/** Share of the runs that have one of them. */
const SHARE = 0.2

export function drawFeatures(seed: number, without: ReadonlySet<number>): readonly MakeFeature[] {
  return Object.entries(features)
    .filter(([step]) => !without.has(Number(step)) && isDrawn(seed, Number(step)))
    .map(([, make]) => make)
}

/** How long retention keeps what is written: in some of the runs for no time. A half that is older than that is given up. */
export function drawReservedHours(seed: number, random: Random): number {
  const isShort = random.next() < 0.5
  return isShort && !isDrawn(seed, TRANSACTIONS) ? 0 : RESERVED_HOURS
}

function isDrawn(seed: number, step: number): boolean {
  return stepRandom(seed, step).next() < SHARE
}
