/**
 * Whether a disk has become too slow to lead on: the 99th percentile of its syncs has been above a limit for a time, or one
 * sync has not come back for as long. Pure: times are handed in, in monotonic milliseconds.
 */
export interface SlowDiskOptions {
  /** A sync that takes longer is slow. */
  readonly limitMs: number
  /** How long it has to go on. */
  readonly forMs: number
}

interface Sample {
  readonly endMs: number
  readonly tookMs: number
}

/** Share of syncs that may be slow: the 99th percentile is below the limit then. */
const SLOW_SHARE = 0.01
const SAMPLES_MAX = 4096

export class SlowDisk {
  readonly #options: SlowDiskOptions
  /** Of the last `forMs`, oldest first. */
  #samples: Sample[] = []
  #slow = 0
  /** When the sync that is under way began. */
  #beganMs: number | undefined
  /** Since when it has been slow, at every look. */
  #slowSinceMs: number | undefined

  constructor(options: SlowDiskOptions) {
    this.#options = options
  }

  began(nowMs: number): void {
    this.#beganMs ??= nowMs
  }

  ended(nowMs: number): void {
    const { limitMs } = this.#options
    if (this.#beganMs === undefined) return
    const tookMs = nowMs - this.#beganMs
    this.#beganMs = undefined
    this.#samples.push({ endMs: nowMs, tookMs })
    if (tookMs > limitMs) this.#slow++
    if (this.#samples.length > SAMPLES_MAX) this.#drop(this.#samples.length - SAMPLES_MAX)
    this.#look(nowMs)
  }

  /** Slow now, for however short a time: nothing to hand leadership to. */
  isSlow(nowMs: number): boolean {
    this.#look(nowMs)
    return this.#slowSinceMs !== undefined
  }

  /** Looked at every now and then: also a disk that does not answer at all is slow. */
  isTooSlow(nowMs: number): boolean {
    this.#look(nowMs)
    return this.#slowSinceMs !== undefined && nowMs - this.#slowSinceMs >= this.#options.forMs
  }

  #look(nowMs: number): void {
    const { limitMs, forMs } = this.#options
    let over = 0
    while (over < this.#samples.length && (this.#samples[over]?.endMs ?? Infinity) < nowMs - forMs) over++
    if (over > 0) this.#drop(over)
    const hangsSinceMs = this.#beganMs !== undefined && nowMs - this.#beganMs > limitMs ? this.#beganMs : undefined
    const isSlow = this.#slow > this.#samples.length * SLOW_SHARE
    if (hangsSinceMs === undefined && !isSlow) this.#slowSinceMs = undefined
    else this.#slowSinceMs ??= hangsSinceMs ?? this.#firstSlowMs(nowMs)
  }

  #firstSlowMs(nowMs: number): number {
    const first = this.#samples.find(({ tookMs }) => tookMs > this.#options.limitMs)
    return first === undefined ? nowMs : first.endMs - first.tookMs
  }

  #drop(count: number): void {
    for (const { tookMs } of this.#samples.splice(0, count)) if (tookMs > this.#options.limitMs) this.#slow--
  }
}
