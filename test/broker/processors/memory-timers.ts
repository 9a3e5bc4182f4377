/** What `TimerIndex` is to a broker, in memory. */
import { findProperty } from '../../../src/message/properties.ts'
import type { RecordDraft } from '../../../src/message/record.ts'
import { type PendingTimer, RemovalWatch } from '../../../src/store/timer-index.ts'

export class MemoryTimers {
  readonly pending = new Map<number, number>()
  readonly #watches = new Set<RemovalWatch>()

  get earliestMs(): number {
    return Math.min(Infinity, ...this.pending.values())
  }

  stored(draft: RecordDraft, offset: number): void {
    const dueMs = Number(findProperty(draft.properties, 'TIMER_OUT_MS') ?? Number.NaN)
    if (draft.topic === 'rmq_sys_wheel_timer' && dueMs >= 0) this.pending.set(offset, dueMs)
  }

  remove(_dueMs: number, offset: number): void {
    this.pending.delete(offset)
    for (const watch of this.#watches) watch.note(offset)
  }

  watch(): RemovalWatch {
    const watch = new RemovalWatch((ended) => this.#watches.delete(ended))
    this.#watches.add(watch)
    return watch
  }

  due(untilMs: number, limit: number): Promise<PendingTimer[]> {
    return this.#list(({ dueMs }) => dueMs <= untilMs, limit)
  }

  at(wantedMs: number, limit: number): Promise<PendingTimer[]> {
    return this.#list(({ dueMs }) => dueMs === wantedMs, limit)
  }

  async before(before: number, limit: number): Promise<PendingTimer[]> {
    const found = await this.#list(({ offset }) => offset < before, Infinity)
    return found.toSorted((a, b) => a.offset - b.offset).slice(0, limit)
  }

  findEarliest(): Promise<void> {
    return Promise.resolve()
  }

  #list(isWanted: (timer: PendingTimer) => boolean, limit: number): Promise<PendingTimer[]> {
    const all = [...this.pending].map(([offset, dueMs]) => ({ offset, dueMs }))
    const found = all.filter(isWanted).toSorted((a, b) => a.dueMs - b.dueMs || a.offset - b.offset)
    return Promise.resolve(found.slice(0, limit))
  }
}
