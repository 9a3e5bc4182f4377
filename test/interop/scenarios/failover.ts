import assert from 'node:assert/strict'
import type { LoadEvent, Received } from '../support/driver.ts'
import type { Release } from '../support/maven.ts'
import { mqadmin } from '../support/stock.ts'
import { type Context, longestGap, pause, type Scenario, until } from '../support/scenario.ts'
import type { Target } from '../support/target.ts'

const bars = { sendMs: 5_000, deliveryMs: 8_000 }

interface Trouble {
  readonly release: Release
  /** Each thread keeps to one queue, and the consumer takes the queues in order. */
  readonly ordered?: boolean
  readonly seconds: number
  readonly happen: (target: Target) => Promise<void>
}

interface Outcome {
  readonly acks: readonly LoadEvent[]
  readonly nacks: readonly LoadEvent[]
  readonly received: readonly Received[]
  readonly sendGapMs: number
  readonly deliveryGapMs: number
}

/** Steady sends and a push consumer with the client's default settings, and what became of them through trouble. */
async function loaded(context: Context, { release, ordered = false, seconds, happen }: Trouble): Promise<Outcome> {
  const topic = context.name('failover')
  const producing = await context.driver({ release })
  const consuming = await context.driver({ release })
  await producing.call('producer', { id: 'p', group: context.name('p-failover') })
  await producing.send('p', { topic, body: 'first' })
  const listener = ordered ? { orderly: 1 } : {}
  await consuming.call('push', { id: 'c', group: context.name('c-failover'), topic, ...listener })
  await until(
    'the first',
    () => consuming.received('c').length > 0,
    () => 0,
  )
  await producing.call('load', { id: 'p', topic, perSecond: 400, threads: 4, ...(ordered ? { sharded: 1 } : {}) })
  await pause(3_000)
  const troubled = Date.now()
  await happen(context.target)
  await pause(seconds * 1_000)
  await producing.call('stopLoad', { id: 'p' })
  const loads = producing.events.filter((event): event is LoadEvent => event.ev !== 'message')
  const acks = loads.filter(({ ev }) => ev === 'ack')
  const nacks = loads.filter(({ ev }) => ev === 'nack')
  const missing = (): string[] => {
    const got = new Set(consuming.received('c').map(({ body }) => body))
    return acks.map(({ body }) => body).filter((body) => !got.has(body))
  }
  await until(
    'every acknowledged message',
    () => missing().length === 0,
    () => missing().slice(0, 20),
    60_000,
  )
  const received = consuming.received('c')
  const since = (times: number[]): number => longestGap(times.filter((t) => t > troubled - 1_000))
  const sendGapMs = since(acks.map(({ t }) => t))
  const deliveryGapMs = since(received.map(({ t }) => t))
  const again = received.length - new Set(received.map(({ body }) => body)).size
  context.note(`${acks.length} acknowledged, ${nacks.length} failed, ${again} delivered again`)
  context.note(`longest gap ${sendGapMs} ms in sends, ${deliveryGapMs} ms in deliveries`)
  for (const text of new Set(nacks.map(({ error }) => `${error?.class} ${error?.code}`)))
    context.note(`failed: ${text}`)
  const last = acks.at(-1)?.t ?? 0
  assert.ok(last > troubled + (seconds - 1) * 1_000, 'sends go on to the end')
  return { acks, nacks, received, sendGapMs, deliveryGapMs }
}

function place(message: Received | undefined): string {
  return `${message?.body} of queue ${message?.queueId} at ${message?.queueOffset}`
}

async function killLeader(target: Target): Promise<void> {
  await target.killLeader()
}

async function moveLeaderEightTimes(target: Target): Promise<void> {
  for (let i = 0; i < 8; i++) {
    await target.moveLeader?.()
    await pause(1_000)
  }
}

function killed(release: Release, name: string, deliveryMs = bars.deliveryMs): Scenario {
  return {
    name,
    timeoutMs: 180_000,
    async run(context) {
      const { sendGapMs, deliveryGapMs } = await loaded(context, { release, seconds: 15, happen: killLeader })
      if (context.target.name === 'stock') return
      assert.ok(sendGapMs <= bars.sendMs, `gap in sends of ${sendGapMs} ms, at most ${bars.sendMs}`)
      assert.ok(deliveryGapMs <= deliveryMs, `gap in deliveries of ${deliveryGapMs} ms, at most ${deliveryMs}`)
    },
  }
}

export const failover: readonly Scenario[] = [
  killed(
    'client-5.5',
    'kill -9 of the leader under a stock producer and push consumer: nothing acknowledged is missing',
  ),
  // Its pull that was under way at the kill is given up after 30 s, whichever broker dies.
  killed('client-4.9', 'kill -9 of the leader under a 4.9 client: nothing acknowledged is missing', 40_000),
  {
    name: 'kill -9 of the leader under an ordered producer and consumer: every shard stays in order',
    timeoutMs: 180_000,
    async run(context) {
      const { received } = await loaded(context, {
        release: 'client-5.5',
        ordered: true,
        seconds: 15,
        happen: killLeader,
      })
      const last = new Map<string, Received>()
      const seen = new Set<string | null>()
      for (const message of received) {
        const [shard, number] = message.body?.split('-') ?? []
        // What is delivered again after a rebalance is old news; what is new must follow what went before.
        if (shard === undefined || number === undefined || seen.has(message.body)) continue
        seen.add(message.body)
        const before = last.get(shard)
        assert.ok(
          Number(number) > Number(before?.body?.split('-')[1] ?? -1),
          `${place(message)} after ${place(before)}`,
        )
        last.set(shard, message)
      }
    },
  },
  {
    name: 'leadership moves eight times under a stock producer and push consumer: no send fails',
    skip: (target) => (target.moveLeader === undefined ? 'this target does not move leadership' : undefined),
    timeoutMs: 180_000,
    async run(context) {
      const { nacks } = await loaded(context, { release: 'client-5.5', seconds: 5, happen: moveLeaderEightTimes })
      assert.deepEqual(nacks, [])
    },
  },
  {
    name: 'all nodes are restarted in turn under a stock producer and push consumer with default retries: no send fails',
    skip: (target) => (target.restartAll === undefined ? 'this target is not restarted' : undefined),
    timeoutMs: 240_000,
    async run(context) {
      const { nacks } = await loaded(context, {
        release: 'client-5.5',
        seconds: 5,
        happen: async (target) => target.restartAll?.(),
      })
      assert.deepEqual(nacks, [])
    },
  },
  {
    name: 'topics and consumer offsets acknowledged before a kill are there after it',
    skip: ({ name }) =>
      name === 'stock' ? 'a stock broker writes consumer offsets every five seconds only' : undefined,
    timeoutMs: 120_000,
    async run(context) {
      const { target } = context
      const topic = context.name('kept')
      const group = context.name('kept-group')
      const before = await context.driver({ release: 'client-5.5' })
      await mqadmin(target.namesrv, 'updateTopic', '-c', target.cluster, '-t', topic, '-r', '3', '-w', '3')
      await before.call('producer', { id: 'p', group: context.name('p-kept'), retries: 20 })
      await before.send('p', { topic, body: 'old', count: 30 })
      await before.call('push', { id: 'c', group, topic })
      await until(
        '30 messages',
        () => before.received('c').length >= 30,
        () => before.received('c').length,
      )
      await pause(500)
      // A consumer that closes commits its offsets, one-way.
      await before.call('close', { id: 'c' })
      await pause(500)
      await target.killLeader()
      await pause(12_000)
      await before.send('p', { topic, body: 'new', count: 12 })
      const after = await context.driver({ release: 'client-5.5' })
      await after.call('push', { id: 'c', group, topic })
      const bodies = (): string[] => after.received('c').map(({ body }) => body ?? '')
      await until('12 messages', () => bodies().length >= 12, bodies, 60_000)
      await pause(1_000)
      assert.deepEqual(bodies().sort(), Array.from({ length: 12 }, (_, i) => `new-${i}`).sort())
      assert.deepEqual(new Set(after.received('c').map(({ queueId }) => queueId)), new Set([0, 1, 2]))
    },
  },
]
