import { sleep, systemClock } from '../../src/lib/clock.ts'

/** Looks every few milliseconds until `look` finds something; fails with `what` when it never does. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 30_000,
): Promise<T> {
  const endMs = systemClock.monotonicMs() + withinMs
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (systemClock.monotonicMs() > endMs) throw new Error(`it never came: ${what}`)
    // What is waited for happens in sockets and on disks: there is no clock to move.
    await sleep(
      { ...systemClock, after: (ms, run) => ({ cancel: clearTimeout.bind(undefined, setTimeout(run, ms)) }) },
      20,
    )
  }
}
