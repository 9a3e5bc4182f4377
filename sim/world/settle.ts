/**
 * Lets everything that is resolved go on, however deep its promises are nested: a turn of the real event loop begins only
 * when nothing is left of this one. Nothing simulated waits for the machine, so nothing else comes in between.
 */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
