import { describe, expect, test } from 'vitest'
import { Claims } from '../../src/broker/log/claims.ts'
import { refusal } from '../../src/broker/errors.ts'
import type { Proposals } from '../../src/broker/needs.ts'
import { TransactionChecks } from '../../src/broker/transactions/transaction-checks.ts'
import { topicConfig } from '../../src/broker/tables/topics.ts'
import { Transactions } from '../../src/broker/transactions/transactions.ts'
import { silentLog } from '../../src/lib/log.ts'
import { decodeProperties } from '../../src/message/properties.ts'
import { decodeRecord } from '../../src/message/record.ts'
import { createHarness, FakeOrigin, type Harness, identity, sendHeader } from './processors/harness.ts'

const HALF = 'RMQ_SYS_TRANS_HALF_TOPIC'
const OP = 'RMQ_SYS_TRANS_OP_HALF_TOPIC'
const GIVEN_UP = 'TRANS_CHECK_MAX_TIME_TOPIC'
const COMMIT = 8
const ROLLBACK = 12

interface World extends Harness {
  readonly producer: FakeOrigin
  readonly checks: TransactionChecks
}

function begin(): World {
  const harness = createHarness()
  harness.topics.apply('create', [topicConfig('T', { readQueueNums: 4, writeQueueNums: 4 })], { timestampMs: 1 })
  return Object.assign(harness, { producer: new FakeOrigin('10.0.0.9'), checks: checksOf(harness) })
}

function checksOf(harness: Harness, proposals: Proposals = harness.log, claims = harness.claims): TransactionChecks {
  return new TransactionChecks({
    ...harness,
    proposals,
    claims,
    brokerName: identity.brokerName,
    log: silentLog,
  })
}

interface Half {
  readonly queueOffset: number
  readonly offset: number
}

async function sendHalf(harness: Harness, given: { properties?: string; bornTimestamp?: number } = {}): Promise<Half> {
  const properties = `TRAN_MSG\u0001true\u0002PGROUP\u0001PG\u0002UNIQ_KEY\u0001U1\u0002${given.properties ?? ''}`
  const bornTimestamp = given.bornTimestamp ?? harness.clock.nowMs()
  const reply = await harness.ask(10, sendHeader('T', { queueId: 1, sysFlag: 4, properties, bornTimestamp }), 'paid')
  expect(reply).toMatchObject({ code: 0, fields: { queueId: 1, transactionId: 'U1' } })
  const id = String(reply.fields['msgId'])
  return { queueOffset: Number(reply.fields['queueOffset']), offset: Number.parseInt(id.slice(-16), 16) }
}

function endHeader(half: Half, commitOrRollback: number, given: Record<string, string | number | boolean> = {}) {
  return {
    producerGroup: 'PG',
    tranStateTableOffset: half.queueOffset,
    commitLogOffset: half.offset,
    commitOrRollback,
    fromTransactionCheck: false,
    msgId: 'U1',
    ...given,
  }
}

async function heartbeat(world: World): Promise<void> {
  const body = { clientID: 'p1', producerDataSet: [{ groupName: 'PG' }], consumerDataSet: [] }
  await world.ask(34, {}, JSON.stringify(body), { origin: world.producer })
}

async function wait(world: Harness, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1_000) {
    world.clock.advance(Math.min(1_000, ms - passed))
    for (let i = 0; i < 6; i++) await world.turn()
  }
}

const texts = (harness: Harness, topic: string, queueId = 0): string[] =>
  harness.log.messages(topic, queueId).map(({ body }) => body.toString())

/** The halves that the producer was asked about, as it would say where they are. */
function asked(world: World): Half[] {
  return world.producer.received
    .filter(({ code }) => code === 39)
    .map(({ header }) => ({
      queueOffset: Number(header?.['tranStateTableOffset']),
      offset: Number(header?.['commitLogOffset']),
    }))
}

describe('a half message', () => {
  test('is stored where no consumer looks, as stock tools know it', async () => {
    const world = begin()
    expect(await sendHalf(world)).toMatchObject({ queueOffset: 0 })
    expect(texts(world, 'T', 1)).toEqual([])
    const [half] = world.log.messages(HALF, 0)
    expect(half?.sysFlag).toBe(0)
    expect(Object.fromEntries(decodeProperties(half?.properties ?? Buffer.alloc(0)))).toMatchObject({
      REAL_TOPIC: 'T',
      REAL_QID: '1',
      PGROUP: 'PG',
      TRAN_MSG: 'true',
      __transactionId__: 'U1',
    })
  })

  test('is refused where transactions are', async () => {
    const world = begin()
    world.options.rejectTransactionMessage = true
    const reply = await world.ask(10, sendHeader('T', { properties: 'TRAN_MSG\u0001true\u0002' }), 'x')
    expect(reply).toMatchObject({ code: 16, remark: expect.stringContaining('transaction message is forbidden') })
    expect(world.log.queues.size).toBe(0)
  })

  test('that only its flags make one is an ordinary message', async () => {
    const world = begin()
    for (const sysFlag of [4, 12]) await world.ask(10, sendHeader('T', { queueId: 1, sysFlag }), 'x')
    expect(world.log.messages('T', 1).map(({ sysFlag }) => sysFlag)).toEqual([0, 0])
  })
})

describe('the end of a transaction', () => {
  test('delivers a committed message, once, however often it is said', async () => {
    const world = begin()
    const half = await sendHalf(world)
    for (let i = 0; i < 3; i++) expect((await world.ask(37, endHeader(half, COMMIT))).code).toBe(0)
    const [message, ...more] = world.log.messages('T', 1)
    expect(more).toEqual([])
    expect(message).toMatchObject({ sysFlag: COMMIT, preparedTransactionOffset: half.offset })
    expect(message?.body.toString()).toBe('paid')
    expect(texts(world, OP)).toEqual(['0,'])
    expect(world.halves.from).toBe(1)
  })

  test('delivers once when two ends of the same half are on their way together', async () => {
    const world = begin()
    const half = await sendHalf(world)
    world.log.isHolding = true
    const replies = [world.send(37, endHeader(half, COMMIT)), world.send(37, endHeader(half, COMMIT))]
    for (let i = 0; i < 3; i++) await world.turn()
    world.log.isHolding = false
    world.log.release()
    await wait(world, 1_000)
    expect(replies.map(([reply]) => reply?.code)).toEqual([0, 0])
    expect(texts(world, 'T', 1)).toEqual(['paid'])
  })

  test('of an unknown state ends nothing, of one that is none is refused', async () => {
    const world = begin()
    const half = await sendHalf(world)
    expect((await world.ask(37, endHeader(half, 0))).code).toBe(0)
    expect((await world.ask(37, endHeader(half, 5))).code).toBe(1)
    expect(texts(world, 'T', 1)).toEqual([])
    expect((await world.ask(37, endHeader(half, COMMIT))).code).toBe(0)
    expect(texts(world, 'T', 1)).toEqual(['paid'])
  })

  test('delivers nothing when it is a rollback, and nothing more when a commit follows', async () => {
    const world = begin()
    const half = await sendHalf(world)
    expect((await world.ask(37, endHeader(half, ROLLBACK))).code).toBe(0)
    expect((await world.ask(37, endHeader(half, COMMIT))).remark).toBe('the transaction had ended before')
    expect(texts(world, 'T', 1)).toEqual([])
    expect(texts(world, OP)).toEqual(['0,'])
  })

  test('that is unknown leaves the half as it is', async () => {
    const world = begin()
    const half = await sendHalf(world)
    await world.ask(37, endHeader(half, 0))
    expect(world.halves.isPending(half.queueOffset)).toBe(true)
    expect(texts(world, OP)).toEqual([])
  })

  test('shares an entry with others of the same turn', async () => {
    const world = begin()
    const halves = [await sendHalf(world), await sendHalf(world), await sendHalf(world)]
    const before = world.log.commands.length
    await Promise.all(halves.map((half) => world.ask(37, endHeader(half, COMMIT))))
    expect(world.log.commands.length - before).toBe(1)
    expect(texts(world, 'T', 1)).toEqual(['paid', 'paid', 'paid'])
    expect(texts(world, OP)).toEqual(['0,1,2,'])
  })

  test.each([
    ['of another group', { producerGroup: 'OTHER' }, 1, 'The producer group wrong'],
    ['with another queueOffset', { tranStateTableOffset: 5 }, 1, 'The transaction state table offset wrong'],
    ['with an offset where no record is', { commitLogOffset: 3 }, 1, 'Find prepared transaction message failed'],
    ['beyond the end of the log', { commitLogOffset: 99_999_999 }, 1, 'Find prepared transaction message failed'],
  ])('%s is refused, and nothing is stored', async (_what, given, code, remark) => {
    const world = begin()
    const half = await sendHalf(world)
    expect(await world.ask(37, endHeader(half, COMMIT, given))).toMatchObject({ code, remark })
    expect(texts(world, 'T', 1)).toEqual([])
    expect(world.halves.isPending(half.queueOffset)).toBe(true)
  })

  test('of a message that is no half is refused', async () => {
    const world = begin()
    await world.ask(10, sendHeader('T', { queueId: 1, properties: 'PGROUP\u0001PG\u0002' }), 'x')
    const reply = await world.ask(37, endHeader({ queueOffset: 0, offset: 0 }, COMMIT))
    expect(reply).toMatchObject({ code: 1, remark: 'Find prepared transaction message failed' })
  })

  test('after the half’s own time limit is ILLEGAL_OPERATION, unless a check asked for it', async () => {
    const world = begin()
    const half = await sendHalf(world, { properties: 'CHECK_IMMUNITY_TIME_IN_SECONDS\u000110\u0002' })
    await wait(world, 11_000)
    expect((await world.ask(37, endHeader(half, COMMIT))).code).toBe(604)
    expect((await world.ask(37, endHeader(half, COMMIT, { fromTransactionCheck: true }))).code).toBe(0)
    expect(texts(world, 'T', 1)).toEqual(['paid'])
  })

  test('for a topic that is gone is TOPIC_NOT_EXIST', async () => {
    const world = begin()
    const half = await sendHalf(world)
    world.topics.apply('delete', ['T'], { timestampMs: 2 })
    expect((await world.ask(37, endHeader(half, COMMIT))).code).toBe(17)
    expect(world.halves.isPending(half.queueOffset)).toBe(true)
  })

  test('lets a delayed message wait for its time', async () => {
    const world = begin()
    const half = await sendHalf(world, { properties: 'DELAY\u00013\u0002' })
    await world.ask(37, endHeader(half, COMMIT))
    expect(texts(world, 'T', 1)).toEqual([])
    expect(texts(world, 'SCHEDULE_TOPIC_XXXX', 2)).toEqual(['paid'])
  })

  test('that is undecided is not proposed again in the same term, and ends in the next', async () => {
    const world = begin()
    const half = await sendHalf(world)
    world.log.failure = refusal('BROKER_UNDECIDED', 'no quorum in time')
    expect((await world.ask(37, endHeader(half, COMMIT))).remark).toMatch(/^UNKNOWN/)
    world.log.failure = undefined
    const again = world.send(37, endHeader(half, COMMIT))
    for (let passed = 0; passed < 2_500; passed += 20) {
      world.clock.advance(20)
      await world.turn()
    }
    expect(again[0]?.code).toBe(2)
    expect(texts(world, 'T', 1)).toEqual([])
    world.leadership.term = 2
    expect((await world.ask(37, endHeader(half, COMMIT))).code).toBe(0)
    expect(texts(world, 'T', 1)).toEqual(['paid'])
  })

  test('goes to the next leader when its fate went with this one’s leadership', async () => {
    const world = begin()
    const half = await sendHalf(world)
    world.log.failure = refusal('BROKER_UNDECIDED', 'no quorum in time')
    world.leadership.isReady = false
    expect((await world.ask(37, endHeader(half, COMMIT))).code).toBe(14)
  })
})

describe('a half that nobody ended', () => {
  test('is asked about at one of its producers after transactionTimeOut, again and again, counted', async () => {
    const world = begin()
    await heartbeat(world)
    await wait(world, 27_000)
    await sendHalf(world)
    // The first pass, at 30 s, finds the half too young.
    await wait(world, 4_000)
    expect(asked(world)).toEqual([])
    await wait(world, 60_000)
    const records = world.producer.received.map(({ body }) =>
      decodeRecord(Buffer.isBuffer(body) ? body : Buffer.alloc(0), 0),
    )
    expect(records.map(({ topic, queueId }) => [topic, queueId])).toEqual([
      ['T', 1],
      ['T', 1],
    ])
    const times = records.map(({ properties }) => decodeProperties(properties).get('TRANSACTION_CHECK_TIMES'))
    expect(times).toEqual(['1', '2'])
    expect(world.producer.received[0]?.header).toMatchObject({
      topic: HALF,
      msgId: 'U1',
      transactionId: 'U1',
      bname: 'broker-a',
    })
  })

  test('ends as its producer says when asked', async () => {
    const world = begin()
    await heartbeat(world)
    await sendHalf(world)
    await wait(world, 31_000)
    const [half] = asked(world)
    if (half === undefined) throw new Error('it was asked about')
    expect((await world.ask(37, endHeader(half, COMMIT, { fromTransactionCheck: true }))).code).toBe(0)
    await wait(world, 61_000)
    expect(texts(world, 'T', 1)).toEqual(['paid'])
    expect(asked(world)).toHaveLength(1)
  })

  test('ends once when its producer ends it by the place it was told first, after it was asked about', async () => {
    const world = begin()
    await heartbeat(world)
    const first = await sendHalf(world)
    await wait(world, 61_000)
    expect(asked(world)).toHaveLength(2)
    expect((await world.ask(37, endHeader(first, COMMIT))).code).toBe(0)
    for (const half of asked(world)) await world.ask(37, endHeader(half, COMMIT, { fromTransactionCheck: true }))
    await wait(world, 61_000)
    expect(texts(world, 'T', 1)).toEqual(['paid'])
    expect(asked(world)).toHaveLength(2)
  })

  test('is given up after transactionCheckMax checks, for an operator to find and to resume', async () => {
    const world = begin()
    world.options.transactionCheckMax = 2
    await heartbeat(world)
    await sendHalf(world)
    await wait(world, 91_000)
    expect(asked(world)).toHaveLength(2)
    expect(texts(world, GIVEN_UP)).toEqual(['paid'])
    expect(world.halves.from).toBe(3)
    const [given] = world.log.messages(GIVEN_UP, 0)
    const msgId = `7F00000100002A9F${(given?.offset ?? 0).toString(16).toUpperCase().padStart(16, '0')}`
    expect((await world.ask(323, { msgId })).code).toBe(0)
    await wait(world, 31_000)
    const half = asked(world).at(-1)
    if (half === undefined) throw new Error('it was asked about')
    await world.ask(37, endHeader(half, COMMIT, { fromTransactionCheck: true }))
    expect(texts(world, 'T', 1)).toEqual(['paid'])
  })

  test.each(['', 'xyz', '7F00000100002A9F0000000000000000', '7F00000100002A9F00000000000FFFFF'])(
    'is not resumed by the id %j, which names none that was given up',
    async (msgId) => {
      const world = begin()
      await sendHalf(world)
      expect((await world.ask(323, { msgId })).code).toBe(1)
      expect(texts(world, HALF)).toHaveLength(1)
    },
  )

  test('is not asked about before its own immunity is over', async () => {
    const world = begin()
    await heartbeat(world)
    await sendHalf(world, { properties: 'CHECK_IMMUNITY_TIME_IN_SECONDS\u0001100\u0002' })
    await sendHalf(world)
    await wait(world, 91_000)
    expect(asked(world).filter(({ queueOffset }) => queueOffset === 0)).toEqual([])
    expect(asked(world)).toHaveLength(3)
    await wait(world, 30_000)
    expect(asked(world)).toHaveLength(5)
  })

  test('is stored again every hour while it is immune, uncounted, so that the log may let go of its front', async () => {
    const world = begin()
    await heartbeat(world)
    await sendHalf(world, { properties: 'CHECK_IMMUNITY_TIME_IN_SECONDS\u000190000\u0002' })
    await wait(world, 3_700_000)
    const [, again, ...more] = world.log.messages(HALF, 0)
    expect(more).toEqual([])
    expect(decodeProperties(again?.properties ?? Buffer.alloc(0)).get('TRANSACTION_CHECK_TIMES')).toBeUndefined()
    expect(world.halves.from).toBe(1)
    expect(asked(world)).toEqual([])
  })

  test('older than the log is kept is given up, not lost', async () => {
    const world = begin()
    await sendHalf(world, { bornTimestamp: world.clock.nowMs() - 73 * 3_600_000 })
    await wait(world, 31_000)
    expect(texts(world, GIVEN_UP)).toEqual(['paid'])
  })
})

/** A log for a leader that dies with its `step`th entry: it is lost with it, or reached a majority. */
function dying(world: World, step: number, fate: 'lost' | 'kept'): Proposals {
  let entries = 0
  return {
    checkRoom: () => undefined,
    records: world.log.records.bind(world.log),
    command: world.log.command.bind(world.log),
    commandWithRecords(command, drafts) {
      if (++entries < step) return world.log.commandWithRecords(command, drafts)
      world.checks.close()
      if (fate === 'kept') void world.log.commandWithRecords(command, drafts)
      return new Promise(() => undefined)
    },
  }
}

function transactionsOf(world: World, proposals: Proposals, claims: Claims<number>): Transactions {
  return new Transactions({
    ...world,
    proposals,
    claims,
    placed: (draft) => draft,
    storeHost: identity.storeHost,
  })
}

describe('when the leader dies between any two steps', () => {
  test.each(['lost', 'kept'] as const)('a commit whose entry is %s is applied once', async (fate) => {
    const world = begin()
    const half = await sendHalf(world)
    const end = { group: 'PG', ...half, isCommit: true, isFromCheck: false }
    void transactionsOf(world, dying(world, 1, fate), new Claims({ term: 1 })).end(end)
    for (let i = 0; i < 4; i++) await world.turn()
    expect(texts(world, 'T', 1)).toEqual(fate === 'kept' ? ['paid'] : [])
    const next = transactionsOf(world, world.log, new Claims({ term: 2 }))
    const ended = next.end(end)
    for (let i = 0; i < 4; i++) await world.turn()
    expect(await ended).toBe(fate === 'lost')
    expect(texts(world, 'T', 1)).toEqual(['paid'])
  })

  test.each([1, 2, 3].flatMap((step) => [[step, 'lost'] as const, [step, 'kept'] as const]))(
    'at check %d, whose entry is %s: the producer is asked, and the half is given up once',
    async (step, fate) => {
      const world = begin()
      world.checks.close()
      world.options.transactionCheckMax = 2
      await heartbeat(world)
      await sendHalf(world)
      Object.assign(world, { checks: checksOf(world, dying(world, step, fate), new Claims({ term: 1 })) })
      await wait(world, step * 31_000)
      world.leadership.term = 2
      world.checks.close()
      checksOf(world, world.log, new Claims({ term: 2 }))
      await wait(world, 5 * 31_000)
      const pendingAt = [...new Set(asked(world).map(({ queueOffset }) => queueOffset))]
      expect(texts(world, GIVEN_UP)).toEqual(['paid'])
      // Both numbers of checks reached the producer, whoever sent them.
      expect(pendingAt).toContain(2)
      expect(asked(world).length).toBeGreaterThanOrEqual(2 - (step === 1 && fate === 'kept' ? 1 : 0))
    },
  )
})
