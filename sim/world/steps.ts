/**
 * Lets things happen, step by step. Each step draws from a generator of its own, so that leaving one out changes no
 * other: that is how a failing run is made short.
 */
import { seededRandom, type Random } from '../../src/lib/prng.ts'
import type { Scheduler } from './scheduler.ts'

export interface StepsNeeds<Name extends string> {
  readonly scheduler: Scheduler
  readonly seed: number
  readonly durationMs: number
  /** Mean time between steps. */
  readonly everyMs: number
  /** How often each happens, compared with the others; what is not named never does. */
  readonly weights: Readonly<Partial<Record<Name, number>>>
  readonly without: ReadonlySet<number>
  readonly act: (name: Name, step: number, random: Random) => void
}

/** Numbers below are of what lasts for the whole run. */
const FIRST_STEP = 10

export function stepRandom(seed: number, step: number): Random {
  return seededRandom(Math.imul(seed, 0x9e3779b1) + step)
}

export class Steps<Name extends string> {
  readonly #need: StepsNeeds<Name>
  readonly #weights: readonly (readonly [name: Name, weight: number])[]
  readonly #total: number
  /** When the last of them happens, at the latest. */
  readonly endMs: number
  #last = FIRST_STEP - 1

  constructor(need: StepsNeeds<Name>) {
    this.#need = need
    const names = Object.keys(need.weights).filter((name): name is Name => name in need.weights)
    this.#weights = names.map((name) => [name, need.weights[name] ?? 0])
    this.#total = this.#weights.reduce((sum, [, weight]) => sum + weight, 0)
    this.endMs = need.scheduler.nowMs + need.durationMs
    this.#next()
  }

  /** The number of the last step so far. */
  get last(): number {
    return this.#last
  }

  #next(): void {
    const { scheduler, seed, everyMs, without, act } = this.#need
    if (scheduler.nowMs >= this.endMs) return
    const step = ++this.#last
    const random = stepRandom(seed, step)
    let at = random.next() * this.#total
    const drawn = this.#weights.find(([, weight]) => (at -= weight) < 0)
    scheduler.after(random.next() * 2 * everyMs, () => this.#next())
    if (drawn !== undefined && !without.has(step)) act(drawn[0], step, random)
  }
}
