import type { HistoryEvent } from '../src/load/history.ts'
import type { MessageName } from '../src/load/workload.ts'

/**
 * How many of the lost messages were acknowledged in each round; `startsMs`: when the rounds began, on the clock of the
 * history. Reads the history once.
 */
export async function lostByRound(
  events: AsyncIterable<HistoryEvent> | Iterable<HistoryEvent>,
  lost: readonly MessageName[],
  startsMs: readonly number[],
): Promise<readonly number[]> {
  const counts = startsMs.map(() => 0)
  const wanted = new Set(lost.map(({ producer, sequence }) => `${producer}/${sequence}`))
  if (wanted.size === 0) return counts
  for await (const event of events) {
    if (event.type !== 'acknowledged' || !wanted.has(`${event.producer}/${event.sequence}`)) continue
    const round = Math.max(
      0,
      startsMs.findLastIndex((startMs) => startMs <= event.atMs),
    )
    counts[round] = (counts[round] ?? 0) + 1
  }
  return counts
}
