/** How often what happened, by its name. */
export type CountsByName = Readonly<Record<string, number>>

export class Counts {
  readonly #counts = new Map<string, number>()

  add(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count)
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  addAll(counts: CountsByName): void {
    for (const [name, count] of Object.entries(counts)) this.add(name, count)
  }

  /** In order of the names. */
  get byName(): CountsByName {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
