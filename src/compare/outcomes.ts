/** From what was sent, acknowledged and read to what each fault cost. Pure. */
import type { Gap } from '../load/gap.ts'
import type { HistoryEvent } from '../load/history.ts'
import type { MessageName } from '../load/workload.ts'
import { type DeclaredLoss, type FaultOutcome, TIMELINE } from './results.ts'

export interface FaultSeen {
  /** When it happened, on the clock of the history. */
  readonly atMs: number
  /** The longest silence from then until the group was whole again. */
  readonly gap: Gap
  readonly declared: readonly DeclaredLoss[]
}

export interface OutcomesNeeds {
  readonly events: readonly HistoryEvent[]
  /** Acknowledged, and not found in the end. */
  readonly lost: readonly MessageName[]
  /** In their order. */
  readonly faults: readonly FaultSeen[]
  /** What the mode may lose: the acknowledgements of so many milliseconds before a fault. */
  readonly windowMs: number
}

/**
 * A lost message belongs to the first fault that it may have been lost by: one that was not over when it was acknowledged.
 * An acknowledgement may arrive a moment after the fault, from a socket of who is dead; the silence begins behind it.
 */
export function outcomesOf({ events, lost, faults, windowMs }: OutcomesNeeds): readonly FaultOutcome[] {
  const missing = new Set(lost.map(nameOf))
  const acks = events.flatMap((event) =>
    event.type === 'acknowledged' ? [{ atMs: event.atMs, isLost: missing.has(nameOf(event)) }] : [],
  )
  return faults.map((fault, at) => {
    const { atMs, gap, declared } = fault
    const until = lastBefore(fault)
    const before = faults[at - 1]
    const from = before === undefined ? -Infinity : lastBefore(before)
    const own = acks.filter((ack) => ack.atMs > from && ack.atMs <= until)
    const gone = own.filter(({ isLost }) => isLost)
    return {
      gapMs: Math.round(gap.lengthMs),
      acknowledged: own.length,
      lost: gone.length,
      oldestLostMs: gone.reduce((oldest, ack) => Math.max(oldest, atMs - ack.atMs), 0),
      atRisk: own.filter((ack) => atMs - ack.atMs <= windowMs).length,
      declared,
      timeline: timelineOf(
        acks.map((ack) => ack.atMs - atMs),
        (faults[at + 1]?.atMs ?? Infinity) - atMs,
      ),
    }
  })
}

/** Losses that no fault explains: acknowledged after the last one was over. */
export function unexplained({ events, lost, faults }: Omit<OutcomesNeeds, 'windowMs'>): number {
  const last = faults.at(-1)
  const from = last === undefined ? -Infinity : lastBefore(last)
  const missing = new Set(lost.map(nameOf))
  return events.filter((event) => event.type === 'acknowledged' && event.atMs > from && missing.has(nameOf(event)))
    .length
}

const lastBefore = ({ atMs, gap }: FaultSeen): number => Math.max(atMs, gap.startMs)

function timelineOf(times: readonly number[], nextMs: number): readonly number[] {
  const { fromMs, toMs, stepMs } = TIMELINE
  const counts = Array.from({ length: Math.floor((Math.min(toMs, nextMs) - fromMs) / stepMs) }, () => 0)
  for (const time of times) {
    const slot = Math.floor((time - fromMs) / stepMs)
    const count = counts[slot]
    if (count !== undefined) counts[slot] = count + 1
  }
  return counts
}

const nameOf = ({ producer, sequence }: MessageName): string => `${producer}/${sequence}`
