/** Processor share, memory and open files of processes over time. */
import { readdirSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { cpuMicrosOf, rssMegabytesOf } from './process-usage.ts'
import type { Series } from '../src/report/plot.ts'

export interface Watched {
  readonly name: string
  readonly pid: number
}

export interface Usage {
  /** Percent of one core; x is seconds since the sampler was started. */
  readonly cpu: readonly Series[]
  readonly rssMegabytes: readonly Series[]
  readonly openFiles: readonly Series[]
}

interface Track extends Watched {
  readonly cpu: [number, number][]
  readonly rss: [number, number][]
  readonly files: [number, number][]
  lastMicros: number | undefined
}

export class UsageSampler {
  readonly #tracks: Track[] = []
  readonly #startMs = performance.now()
  readonly #timer: NodeJS.Timeout
  #lastMs = this.#startMs

  constructor({ everyMs }: { readonly everyMs: number }) {
    this.#timer = setInterval(() => this.#sample(), everyMs)
  }

  /** From now on; what ended is simply not sampled any more. */
  watch(watched: readonly Watched[]): void {
    for (const one of watched) {
      this.#tracks.push({ ...one, cpu: [], rss: [], files: [], lastMicros: cpuMicrosOf(one.pid) })
    }
  }

  stop(): Usage {
    clearInterval(this.#timer)
    const series = (points: (track: Track) => [number, number][]): readonly Series[] =>
      this.#tracks.map((track) => ({ name: track.name, points: points(track) }))
    return {
      cpu: series((track) => track.cpu),
      rssMegabytes: series((track) => track.rss),
      openFiles: series((track) => track.files),
    }
  }

  #sample(): void {
    const nowMs = performance.now()
    const seconds = Number(((nowMs - this.#startMs) / 1_000).toFixed(1))
    const passedMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    for (const track of this.#tracks) {
      const micros = cpuMicrosOf(track.pid)
      if (micros !== undefined && track.lastMicros !== undefined) {
        track.cpu.push([seconds, (micros - track.lastMicros) / (passedMs * 10)])
      }
      track.lastMicros = micros
      const rss = rssMegabytesOf(track.pid)
      if (rss !== undefined) track.rss.push([seconds, rss])
      const files = openFilesOf(track.pid)
      if (files !== undefined) track.files.push([seconds, files])
    }
  }
}

/** Descriptors of the process, sockets included; undefined where the system does not say. */
export function openFilesOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length
  } catch {
    return undefined
  }
}
