/**
 * How fast the log takes what waits for it, measured where it shows: at what leaves, over the last half second in which
 * something waited. The log drains in lumps (one flush carries whatever came before it), so the time is taken from one
 * lump to another and never within one.
 */

/** Long enough for several lumps, short enough to follow a disk that changes. */
const SPAN_MS = 500
/** Marks closer than this are one. */
const LUMP_MS = 5

interface Mark {
  atMs: number
  /** Bytes drained up to and with this lump. */
  totalBytes: number
}

export class DrainRate {
  #marks: Mark[] = []
  #totalBytes = 0

  /** Forgets what was measured; something waits from now on. */
  begin(nowMs: number): void {
    this.#marks = [{ atMs: nowMs, totalBytes: this.#totalBytes }]
  }

  /** Nothing waited for the last `idleMs`: they do not count. */
  skip(idleMs: number): void {
    for (const mark of this.#marks) mark.atMs += idleMs
  }

  drained(bytes: number, nowMs: number): void {
    this.#totalBytes += bytes
    const last = this.#marks.at(-1)
    // What drains in the moment of the beginning was not waited for.
    if (last !== undefined && nowMs - last.atMs < LUMP_MS) last.totalBytes = this.#totalBytes
    else this.#marks.push({ atMs: nowMs, totalBytes: this.#totalBytes })
    while (this.#marks.length > 2 && (this.#marks[1]?.atMs ?? nowMs) <= nowMs - SPAN_MS) this.#marks.shift()
  }

  /** Bytes a millisecond; undefined before anything drained. A silence longer than what was measured counts. */
  perMs(nowMs: number): number | undefined {
    const first = this.#marks[0]
    const last = this.#marks.at(-1)
    if (first === undefined || last === undefined || last === first) return undefined
    const spanMs = last.atMs - first.atMs
    const silenceMs = nowMs - last.atMs
    return (last.totalBytes - first.totalBytes) / (silenceMs > spanMs ? spanMs + silenceMs : spanMs)
  }
}
