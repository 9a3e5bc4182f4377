/** How far a long run is: one line that changes for a person, a line now and then for a file. */
export interface ProgressNeeds {
  readonly what: string
  readonly count: number
}

const LINE_EVERY_MS = 30_000

export class Progress {
  readonly #need: ProgressNeeds
  readonly #startMs = performance.now()
  #lineMs = 0

  constructor(need: ProgressNeeds) {
    this.#need = need
  }

  show(done: number, failed: number): void {
    const { what, count } = this.#need
    const elapsedMs = performance.now() - this.#startMs
    const leftS = Math.round(((elapsedMs / done) * (count - done)) / 1000)
    const line = `${done} of ${count} ${what}, ${failed} failed, about ${leftS} s left`
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`)
    else if (elapsedMs - this.#lineMs > LINE_EVERY_MS) {
      this.#lineMs = elapsedMs
      process.stderr.write(`${line}\n`)
    }
  }

  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  }
}
