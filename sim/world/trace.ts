/** What happened in a run, line by line, and one number for all of it: equal numbers, equal runs. */
export class Trace {
  readonly #tell: ((line: string) => void) | undefined
  #hash = 0x811c9dc5
  #lines = 0

  constructor(tell?: (line: string) => void) {
    this.#tell = tell
  }

  /** FNV-1a of all lines so far. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }

  get lines(): number {
    return this.#lines
  }

  /** What is too much for a line and must be the same all the same: bytes that were sent. */
  stir(value: number): void {
    this.#hash = Math.imul(this.#hash ^ value, 0x01000193)
  }

  write(atMs: number, what: string): void {
    const line = `${atMs.toFixed(1).padStart(9)} ${what}`
    this.#lines++
    for (let at = 0; at < line.length; at++) this.#hash = Math.imul(this.#hash ^ line.charCodeAt(at), 0x01000193)
    this.#tell?.(line)
  }
}
