/** How long nodes take to answer a small request: what their event loop is behind, and a little more. */
import { setTimeout as sleep } from 'node:timers/promises'
import { Admin } from '../src/client/index.ts'
import type { Series } from '../src/report/plot.ts'

export interface Pinged {
  readonly name: string
  readonly address: string
}

export class PingSampler {
  readonly #admin: Admin
  readonly #everyMs: number
  readonly #startMs = performance.now()
  readonly #tracks = new Map<string, [number, number][]>()
  #isStopped = false

  constructor({ namesrv, everyMs }: { readonly namesrv: string; readonly everyMs: number }) {
    this.#admin = new Admin({ namesrv })
    this.#everyMs = everyMs
  }

  watch(nodes: readonly Pinged[]): void {
    for (const node of nodes) void this.#ping(node)
  }

  /** Seconds since the sampler was made → milliseconds until the answer; an answer that failed is left out. */
  stop(): readonly Series[] {
    if (!this.#isStopped) this.#admin.close()
    this.#isStopped = true
    return [...this.#tracks].map(([name, points]) => ({ name, points }))
  }

  async #ping({ name, address }: Pinged): Promise<void> {
    const points: [number, number][] = []
    this.#tracks.set(name, points)
    while (!this.#isStopped) {
      const begunMs = performance.now()
      const isAnswered = await this.#admin.runtimeInfo(address).then(
        () => true,
        () => false,
      )
      if (isAnswered) points.push([(begunMs - this.#startMs) / 1_000, performance.now() - begunMs])
      await sleep(this.#everyMs)
    }
  }
}
