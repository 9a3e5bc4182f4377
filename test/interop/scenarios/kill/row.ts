/** What rows of the table in docs/testing.md have in common: a beginning before the leader is killed, and an end after it. */
import type { Driver, Received, Sent } from '../../support/driver.ts'
import { type Context, pause, until } from '../../support/scenario.ts'

export const release = 'client-5.5'

/** Two JVMs of the stock client; `p` is a producer in the first. */
export interface World {
  readonly context: Context
  readonly one: Driver
  readonly two: Driver
}

export interface Row {
  readonly name: string
  /** Resolves once everything that comes before the kill has happened, with what comes after it. */
  begin(world: World): Promise<() => Promise<void>>
}

export const bodiesOf = (received: readonly Received[]): string[] => received.map(({ body }) => body ?? '').sort()
export const numbered = (stem: string, count: number): string[] =>
  Array.from({ length: count }, (_, at) => `${stem}-${at}`).sort()

/** Calls until it is answered: a stock client gives up within milliseconds while nobody leads. */
export async function persist<T>(call: () => Promise<T>, withinMs = 30_000): Promise<T> {
  const endMs = performance.now() + withinMs
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (performance.now() > endMs) throw error
      await pause(300)
    }
  }
}

/** One after the other, each until it is acknowledged. */
export async function sendEach(
  driver: Driver,
  bodies: readonly string[],
  given: Readonly<Record<string, string | number>>,
): Promise<Sent[]> {
  const sent: Sent[] = []
  for (const body of bodies) sent.push(...(await persist(() => driver.send('p', { ...given, body }))))
  return sent
}

/** Waits until these bodies have all come to a consumer, and gives what came, again or not. */
export async function came(
  driver: Driver,
  id: string,
  bodies: readonly string[],
  withinMs = 60_000,
): Promise<Received[]> {
  const missing = (): string[] => {
    const there = new Set(bodiesOf(driver.received(id)))
    return bodies.filter((body) => !there.has(body))
  }
  await until(`messages of ${id}`, () => missing().length === 0, missing, withinMs)
  return driver.received(id)
}

/** Bodies that the broker stored at more than one place of the topic they came from. */
export function storedTwice(received: readonly Received[]): string[] {
  const places = new Map<string, Set<string>>()
  for (const { body, queueId, queueOffset, reconsumeTimes } of received) {
    const key = `${body} (${reconsumeTimes})`
    places.set(key, (places.get(key) ?? new Set()).add(`${queueId}@${queueOffset}`))
  }
  return [...places].filter(([, seen]) => seen.size > 1).map(([key]) => key)
}
