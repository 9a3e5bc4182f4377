/** Messages of transactions, and messages that wait for a time of their own, by the stock client. */
import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import type { Driver, Received, Sent } from '../support/driver.ts'
import { linesOf, startJava, stop } from '../support/java.ts'
import { classPath } from '../support/maven.ts'
import { temporaryFolder } from '../support/places.ts'
import { type Context, pause, type Scenario, until } from '../support/scenario.ts'

const release = 'client-5.5'
/** Checked every 30 s, from 6 s after its birth on. */
const CHECKED_WITHIN_MS = 75_000

interface World {
  readonly driver: Driver
  readonly topic: string
  received(): readonly Received[]
  /** Bodies of the halves that the producer was asked about. */
  asked(): readonly string[]
}

async function begin(context: Context, stem: string): Promise<World> {
  const topic = context.name(stem)
  const driver = await context.driver({ release })
  await driver.call('producer', { id: 'p', group: context.name(`p-${stem}`), transactions: 1 })
  await driver.send('p', { topic, body: 'first' })
  await driver.call('push', { id: 'c', group: context.name(`c-${stem}`), topic })
  await until(
    'the first',
    () => driver.received('c').length > 0,
    () => 0,
  )
  return {
    driver,
    topic,
    received: () => driver.received('c').filter(({ body }) => body !== 'first'),
    asked: () => driver.received('p').map(({ body }) => body ?? ''),
  }
}

function say(world: World, body: string, first: string, asked: string): Promise<Sent> {
  return world.driver.call<Sent>('transaction', {
    id: 'p',
    topic: world.topic,
    body,
    'prop.first': first,
    'prop.asked': asked,
  })
}

const bodies = (received: readonly Received[]): string[] => received.map(({ body }) => body ?? '').sort()

export const timed: readonly Scenario[] = [
  {
    name: 'transactions are committed, rolled back, and asked about until their producer knows',
    timeoutMs: 180_000,
    async run(context) {
      const world = await begin(context, 'transaction')
      const sent = await say(world, 'committed', 'COMMIT_MESSAGE', 'ROLLBACK_MESSAGE')
      assert.equal(sent.state, 'COMMIT_MESSAGE')
      await say(world, 'rolled back', 'ROLLBACK_MESSAGE', 'COMMIT_MESSAGE')
      await say(world, 'unknown, then committed', 'UNKNOW', 'COMMIT_MESSAGE')
      await say(world, 'unknown, then rolled back', 'UNKNOW', 'ROLLBACK_MESSAGE')
      await until(
        'the committed one',
        () => bodies(world.received()).includes('committed'),
        () => world.received(),
        5_000,
      )
      await until(
        'both to be asked about and one to come',
        () => world.received().length >= 2 && world.asked().length >= 2,
        () => [world.asked(), world.received()],
        CHECKED_WITHIN_MS,
      )
      await pause(3_000)
      assert.deepEqual(bodies(world.received()), ['committed', 'unknown, then committed'])
      assert.deepEqual([...world.asked()].sort(), ['unknown, then committed', 'unknown, then rolled back'])
      const checked = world.driver.received('p').map(({ properties }) => properties['TRANSACTION_CHECK_TIMES'])
      assert.deepEqual(checked, ['1', '1'])
      assert.equal(world.received().find(({ body }) => body === 'committed')?.queueId, sent.queueId)
    },
  },
  {
    name: 'messages come at their time, by setDelayTimeMs, setDelayTimeSec and setDeliverTimeMs',
    timeoutMs: 60_000,
    async run(context) {
      const world = await begin(context, 'timer')
      const { driver, topic } = world
      const wanted: readonly (readonly [body: string, set: string, value: number, afterMs: number])[] = [
        ['ms', 'setDelayTimeMs', 2_500, 2_500],
        ['sec', 'setDelayTimeSec', 4, 4_000],
        ['at', 'setDeliverTimeMs', Date.now() + 6_000, 0],
      ]
      const sentAt = new Map<string, number>()
      for (const [body, set, value, afterMs] of wanted) {
        sentAt.set(body, afterMs === 0 ? value : Date.now() + afterMs)
        const [sent] = await driver.send('p', { topic, body, [set]: value })
        assert.equal(sent?.status, 'SEND_OK')
        assert.ok((sent?.recallHandle ?? '') !== '', 'a waiting message has a handle')
      }
      await until(
        'all three',
        () => world.received().length >= 3,
        () => world.received(),
        20_000,
      )
      // RocketMQ rounds to a second, ours does not; neither is early.
      for (const message of world.received()) {
        const late = message.t - (sentAt.get(message.body ?? '') ?? 0)
        context.note(`${message.body}: ${late} ms late`)
        assert.ok(late > -50 && late < 3_000, `${message.body} is ${late} ms late`)
      }
      assert.deepEqual(bodies(world.received()), ['at', 'ms', 'sec'])
    },
  },
  {
    name: 'a message that waits is taken back by its handle',
    timeoutMs: 60_000,
    skip: ({ name }) => (name === 'stock' ? 'recallMessageEnable is off there' : undefined),
    async run(context) {
      const world = await begin(context, 'recall')
      const { driver, topic } = world
      const [taken] = await driver.send('p', { topic, body: 'taken back', setDelayTimeMs: 5_000 })
      await driver.send('p', { topic, body: 'left alone', setDelayTimeMs: 5_000 })
      const handle = taken?.recallHandle ?? ''
      assert.equal(await driver.call('recall', { id: 'p', topic, handle }), taken?.msgId)
      await until(
        'the other one',
        () => world.received().length > 0,
        () => 0,
        15_000,
      )
      await pause(2_000)
      assert.deepEqual(bodies(world.received()), ['left alone'])
      await assert.rejects(driver.call('recall', { id: 'p', topic, handle }), /InvocationTarget/)
    },
  },
  {
    name: 'benchmark TransactionProducer with every transaction unknown: checks are counted, none missing or doubled',
    timeoutMs: 150_000,
    async run(context) {
      const home = temporaryFolder('transactions')
      const producer = startJava({
        classPath: await classPath(release),
        main: 'org.apache.rocketmq.example.benchmark.TransactionProducer',
        arguments: [
          '-n',
          context.target.namesrv,
          '-t',
          context.name('benchmark-transactions'),
          ...'-w 4 -s 128 -i 20 -su 1.0 -ri 1000'.split(' '),
        ],
        home,
      })
      const reports: string[] = []
      linesOf(producer, (line) => {
        if (line.includes('Send TPS')) reports.push(line)
      })
      const last = (name: string): number =>
        Number(new RegExp(`${name}: (\\d+)`).exec(reports.at(-1) ?? '')?.[1] ?? Number.NaN)
      try {
        await until(
          'checks',
          () => reports.some((line) => /(?<!Unexpected|Duplicated)Check: [1-9]/.test(line)),
          () => reports.slice(-3),
          CHECKED_WITHIN_MS + 20_000,
        )
        await pause(2_000)
        context.note(reports.at(-1) ?? '')
        assert.equal(last('Send Failed'), 0)
        assert.equal(last('UnexpectedCheck'), 0)
        assert.equal(last('DuplicatedCheck'), 0)
      } finally {
        await stop(producer)
        rmSync(home, { recursive: true, force: true })
      }
    },
  },
]

export const timedFailover: readonly Scenario[] = [
  {
    name: 'kill -9 of the leader: transactions are committed once, timers come once and in time',
    timeoutMs: 240_000,
    skip: ({ nodes }) => (nodes < 3 ? 'there is nobody to take over' : undefined),
    async run(context) {
      const world = await begin(context, 'timed-failover')
      const { driver, topic } = world
      const expected: string[] = []
      for (let i = 0; i < 20; i++) {
        expected.push(`committed ${i}`, `checked ${i}`, `timer ${i}`)
        await say(world, `checked ${i}`, 'UNKNOW', 'COMMIT_MESSAGE')
        await say(world, `dropped ${i}`, 'UNKNOW', 'ROLLBACK_MESSAGE')
        await driver.send('p', { topic, body: `timer ${i}`, setDelayTimeMs: 4_000 + i * 100 })
        await say(world, `committed ${i}`, 'COMMIT_MESSAGE', 'COMMIT_MESSAGE')
      }
      await context.target.killLeader()
      const distinct = (): Set<string> => new Set(bodies(world.received()))
      await until(
        'everything that was committed',
        () => distinct().size >= expected.length,
        () => expected.filter((body) => !distinct().has(body)),
        2 * CHECKED_WITHIN_MS,
      )
      await pause(5_000)
      assert.deepEqual([...distinct()].sort(), expected.toSorted())
      // A consumer may be handed a message again; the broker stored each at one place.
      const places = new Map<string, Set<string>>()
      for (const { body, queueId, queueOffset } of world.received()) {
        const seen = places.get(body ?? '') ?? new Set()
        places.set(body ?? '', seen.add(`${queueId}/${queueOffset}`))
      }
      const twice = [...places].filter(([, seen]) => seen.size > 1).map(([body]) => body)
      assert.deepEqual(twice, [])
    },
  },
]
