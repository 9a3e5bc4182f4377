/** Messages whose acknowledgement is proposed and not decided: they must not come again behind it. */

export class AcksInFlight {
  readonly #counts = new Map<string, number>()

  has(key: string): boolean {
    return this.#counts.has(key)
  }

  /** Runs `change` while the messages count as being acknowledged; one may be twice. */
  async during<T>(keys: readonly string[], change: () => Promise<T>): Promise<T> {
    for (const key of keys) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
    try {
      return await change()
    } finally {
      for (const key of keys) {
        const left = (this.#counts.get(key) ?? 1) - 1
        if (left === 0) this.#counts.delete(key)
        else this.#counts.set(key, left)
      }
    }
  }
}

/** One message of a checkpoint. */
export function messageKey(checkpointKey: string, offset: number): string {
  return `${checkpointKey}/${offset}`
}
