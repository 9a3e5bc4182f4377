/** The fewest steps of a seed that still break the same rule (delta debugging, Zeller and Hildebrandt 2002). */
import type { RunSeed, SeedReport, SeedRequest } from './seed-run.ts'

export interface Shrinking {
  readonly run: RunSeed
  readonly request: SeedRequest
  readonly failed: SeedReport
  /** Runs at most. */
  readonly runsMax: number
}

/** The numbers of the steps to leave out. */
export async function shrink(shrinking: Shrinking): Promise<ReadonlySet<number>> {
  const search = new Search(shrinking)
  // Big pieces first; pieces of one until nothing goes.
  for (let size = Math.ceil(shrinking.failed.steps / 2); size > 0 && !search.isOver; size = Math.ceil(size / 2)) {
    const hasShrunk = await search.leaveOut(size)
    if (size === 1 && !hasShrunk) break
  }
  return search.without
}

class Search {
  readonly #need: Shrinking
  #without: Set<number>
  #kept: number[]
  #runs = 0

  constructor(need: Shrinking) {
    this.#need = need
    this.#without = new Set(need.request.without)
    this.#kept = Array.from({ length: need.failed.steps }, (_, at) => at + 1).filter((step) => !this.#without.has(step))
  }

  get without(): ReadonlySet<number> {
    return this.#without
  }

  get isOver(): boolean {
    return this.#runs >= this.#need.runsMax
  }

  /** Tries to do without each piece of `size` steps, from the end on. */
  async leaveOut(size: number): Promise<boolean> {
    const before = this.#kept.length
    for (let end = this.#kept.length; end > 0 && !this.isOver; end -= size) {
      const piece = this.#kept.slice(Math.max(0, end - size), end)
      const candidate = new Set([...this.#without, ...piece])
      if (!(await this.#stillFails(candidate))) continue
      this.#without = candidate
      this.#kept = this.#kept.filter((step) => !candidate.has(step))
    }
    return this.#kept.length < before
  }

  async #stillFails(without: ReadonlySet<number>): Promise<boolean> {
    this.#runs++
    const { run, request, failed } = this.#need
    return (await run({ ...request, without, trace: undefined })).violation?.rule === failed.violation?.rule
  }
}
