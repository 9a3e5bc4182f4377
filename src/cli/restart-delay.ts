const FIRST_DELAY_MS = 200
const MAX_DELAY_MS = 5000

/** How long to wait before a restart: nothing after a first death, then doubling for a node that dies again and again. */
export function nextDelayMs(quickDeaths: number): number {
  if (quickDeaths <= 1) return 0
  return Math.min(FIRST_DELAY_MS * 2 ** (quickDeaths - 2), MAX_DELAY_MS)
}
