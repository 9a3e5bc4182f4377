/** RaftMQ's own ordered consumer and a stock one in the same group: the locks of queues hold across both. */
import assert from 'node:assert/strict'
import type { LoadEvent } from '../../support/driver.ts'
import { type Handled, startOwnMember } from '../../support/own-member.ts'
import { pause, type Scenario, until } from '../../support/scenario.ts'
import { release } from './row.ts'

/** What one member of the group was given. */
interface Seen extends Handled {
  readonly member: 'stock' | 'own'
}

const MOST_CHANGES_OF_OWNER = 6

/** Of each shard, what is new in the order it came; a message that comes again is old news. */
function expectOrder(seen: readonly Seen[]): void {
  const last = new Map<string, number>()
  const known = new Set<string>()
  for (const { body, member, queueId } of seen) {
    const [shard = '', number] = (body ?? '').split('-')
    if (number === undefined || known.has(body ?? '')) continue
    known.add(body ?? '')
    assert.ok(
      Number(number) > (last.get(shard) ?? -1),
      `${body} of queue ${queueId} after ${last.get(shard)}, by ${member}`,
    )
    last.set(shard, Number(number))
  }
}

/** Two members that both take a queue change with nearly every message; a queue that is handed over changes once. */
function changesOfOwner(seen: readonly Seen[]): number {
  const owners = new Map<number, string[]>()
  for (const { queueId, member } of seen) owners.set(queueId, [...(owners.get(queueId) ?? []), member])
  return Math.max(
    ...[...owners.values()].map((of) => of.filter((member, at) => at > 0 && member !== of[at - 1]).length),
  )
}

export const orderly: readonly Scenario[] = [
  {
    name: 'kill -9 of the leader under a stock and our own ordered consumer of one group: locks and order hold across both',
    skip: ({ name, nodes }) => (name === 'stock' || nodes < 3 ? 'there is nobody to take over' : undefined),
    timeoutMs: 180_000,
    async run(context) {
      const topic = context.name('kill-orderly')
      const group = context.name('c-kill-orderly')
      const driver = await context.driver({ release })
      await driver.call('producer', { id: 'p', group: context.name('p-kill-orderly'), retries: 20 })
      await driver.send('p', { topic, body: 'first' })
      const own = startOwnMember(context.target.namesrv, topic, group)
      try {
        await driver.call('push', { id: 'c', group, topic, orderly: 1 })
        const seen = (): Seen[] =>
          [
            ...driver.received('c').map((message): Seen => ({ ...message, member: 'stock' })),
            ...own.handled.map((message): Seen => ({ ...message, member: 'own' })),
          ].toSorted((a, b) => a.t - b.t)
        const bothTake = (sinceMs: number): boolean =>
          new Set(seen().flatMap(({ t, member }) => (t > sinceMs ? [member] : []))).size === 2
        await driver.call('load', { id: 'p', topic, perSecond: 200, threads: 4, sharded: 1 })
        await until('messages for both', () => bothTake(0), seen, 60_000)
        await pause(2_000)
        await context.target.killLeader()
        const killedMs = Date.now()
        await pause(8_000)
        await driver.call('stopLoad', { id: 'p' })
        const acked = driver.events.flatMap((event) => (event.ev === 'ack' ? [(event satisfies LoadEvent).body] : []))
        const missing = (): string[] => {
          const there = new Set(seen().map(({ body }) => body))
          return acked.filter((body) => !there.has(body))
        }
        await until('every acknowledged message', () => missing().length === 0, missing, 60_000)
        assert.ok(bothTake(killedMs + 1_000), 'both have queues after the kill')
        expectOrder(seen())
        const changes = changesOfOwner(seen())
        assert.ok(changes <= MOST_CHANGES_OF_OWNER, `a queue changed hands ${changes} times`)
        context.note(
          `${acked.length} acknowledged, ${own.handled.length} by our own, at most ${changes} changes of owner`,
        )
      } finally {
        await own.close()
      }
    },
  },
]
