import { describe, expect, test } from 'vitest'
import { findProperty } from '../../../src/message/properties.ts'
import { decodeRecords } from '../../../src/message/record.ts'
import { QueryAssignmentResponseBody } from '../../../src/remoting/bodies/queue.ts'
import { refusal } from '../../../src/broker/errors.ts'
import { PopCheckpoints } from '../../../src/broker/pop/checkpoints.ts'
import { digestRows } from '../../../src/broker/tables/table-rows.ts'
import { subscriptionGroup } from '../../../src/broker/tables/subscription-groups.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { createHarness, FakeOrigin, type Harness, sendHeader, type TestReply } from './harness.ts'

const RETRY = '%RETRY%CG_T'

async function withMessages(count: number, queues = 1): Promise<Harness> {
  const harness = createHarness()
  const row = topicConfig('T', { readQueueNums: queues, writeQueueNums: queues })
  harness.topics.apply('create', [row], { timestampMs: 1 })
  harness.groups.apply('create', [subscriptionGroup('CG')], { timestampMs: 1 })
  for (let at = 0; at < count; at++) await send(harness, `m${at}`, at % queues)
  return harness
}

const send = (harness: Harness, body: string, queueId = 0, tag = 'A') =>
  harness.ask(10, sendHeader('T', { queueId, properties: `TAGS\u0001${tag}\u0002` }), body)

const popHeader = (given: Readonly<Record<string, string | number | boolean>> = {}) => ({
  consumerGroup: 'CG',
  topic: 'T',
  queueId: -1,
  maxMsgNums: 32,
  invisibleTime: 10_000,
  pollTime: 0,
  bornTime: 0,
  initMode: 0,
  ...given,
})

const pop = (harness: Harness, given: Readonly<Record<string, string | number | boolean>> = {}) =>
  harness.ask(200_050, popHeader(given))

const bodies = (reply: TestReply | undefined): string[] =>
  decodeRecords(reply?.bytes ?? Buffer.alloc(0)).map(({ body }) => body.toString())

interface Receipt {
  readonly consumerGroup: string
  readonly topic: string
  readonly queueId: number
  readonly offset: number
  readonly extraInfo: string
}

/** Receipts as the Java client makes them (MQClientAPIImpl.processPopResponse). */
function receiptsOf(reply: TestReply): Receipt[] {
  const { popTime, invisibleTime, reviveQid, startOffsetInfo, msgOffsetInfo } = reply.fields
  const starts = new Map(
    String(startOffsetInfo)
      .split(';')
      .map((part) => part.split(' '))
      .map(([flag, queueId, start]) => [`${flag}@${queueId}`, start]),
  )
  return String(msgOffsetInfo)
    .split(';')
    .flatMap((part) => {
      const [flag = '', queueId = '', list = ''] = part.split(' ')
      const topic = flag === '0' ? 'T' : RETRY
      const head = `${starts.get(`${flag}@${queueId}`)} ${String(popTime)} ${String(invisibleTime)} ${String(reviveQid)}`
      return list.split(',').map((offset) => ({
        consumerGroup: 'CG',
        topic,
        queueId: Number(queueId),
        offset: Number(offset),
        extraInfo: `${head} ${flag} broker-a ${queueId} ${offset}`,
      }))
    })
}

const ack = (harness: Harness, receipt: Receipt | undefined) => harness.ask(200_051, { ...receipt })

/** Lets the time of invisible messages go by, and what is due come again. */
async function pass(harness: Harness, ms: number): Promise<void> {
  harness.clock.advance(ms)
  for (let turns = 0; turns < 10; turns++) await harness.turn()
  harness.clock.advance(200)
  for (let turns = 0; turns < 10; turns++) await harness.turn()
}

async function withConsumers(count: number): Promise<Harness> {
  const harness = await withMessages(0, 4)
  for (let at = 0; at < count; at++) {
    const group = { groupName: 'CG', consumeType: 'CONSUME_POP', messageModel: 'CLUSTERING' }
    const consumers = [{ ...group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', subscriptionDataSet: [] }]
    const body = JSON.stringify({ clientID: `c${at}`, producerDataSet: [], consumerDataSet: consumers })
    await harness.ask(34, {}, body, { origin: new FakeOrigin(`10.0.0.${at}`) })
  }
  return harness
}
const assigned = async (harness: Harness, clientId: string, strategyName = 'AVG') => {
  const body = { topic: 'T', consumerGroup: 'CG', clientId, strategyName, messageModel: 'CLUSTERING' }
  const reply = await harness.ask(400, {}, JSON.stringify(body))
  const { messageQueueAssignments } = QueryAssignmentResponseBody.decode(reply.bytes)
  return messageQueueAssignments.map(({ mode, messageQueue }) => `${mode} ${messageQueue?.queueId}`)
}
const setMode = (harness: Harness, popShareQueueNum: number, given: Record<string, string> = {}) =>
  harness.ask(401, {}, JSON.stringify({ topic: 'T', consumerGroup: 'CG', mode: 'POP', popShareQueueNum, ...given }))

describe('a pop', () => {
  test('gives messages of all queues, each once, and remembers them until they are acknowledged', async () => {
    const harness = await withMessages(6, 3)
    const first = await pop(harness, { maxMsgNums: 4 })
    const second = await pop(harness)
    expect([...bodies(first), ...bodies(second)].sort()).toEqual(['m0', 'm1', 'm2', 'm3', 'm4', 'm5'])
    expect(first).toMatchObject({ code: 0, remark: 'FOUND', fields: { restNum: 2, invisibleTime: 10_000 } })
    expect((await pop(harness)).code).toBe(210)
    for (const receipt of [...receiptsOf(first), ...receiptsOf(second)]) {
      expect((await ack(harness, receipt)).code).toBe(0)
    }
    expect([...harness.checkpoints.all()]).toEqual([])
    await pass(harness, 60_000)
    expect((await pop(harness)).code).toBe(210)
  })

  test('of one queue takes of that alone', async () => {
    const harness = await withMessages(6, 3)
    const reply = await pop(harness, { queueId: 1 })
    expect(bodies(reply)).toEqual(['m1', 'm4'])
    expect(reply.fields).toMatchObject({ startOffsetInfo: '0 1 0', msgOffsetInfo: '0 1 0,1' })
  })

  test('passes over what its filter does not want, and does not look at it again', async () => {
    const harness = await withMessages(0)
    for (const tag of ['A', 'B', 'A']) await send(harness, tag, 0, tag)
    expect(bodies(await pop(harness, { exp: 'B', expType: 'TAG' }))).toEqual(['B'])
    expect((await pop(harness, { exp: 'B', expType: 'TAG' })).code).toBe(210)
    expect(harness.offsets.get('T', 'CG', 0)).toBe(3)
    await send(harness, 'C', 0, 'C')
    expect(bodies(await pop(harness, { exp: "TAGS = 'C'", expType: 'SQL92' }))).toEqual(['C'])
  })

  test('waits for a message as long as it may', async () => {
    const harness = await withMessages(0)
    const replies = harness.send(200_050, popHeader({ pollTime: 15_000 }))
    await harness.turn()
    expect((await harness.ask(200_055, { topic: 'T', consumerGroup: 'CG', queueId: -1 })).fields).toEqual({
      pollingNum: 1,
    })
    expect((await harness.ask(200_055, { topic: 'No', consumerGroup: 'CG', queueId: -1 })).code).toBe(17)
    expect((await harness.ask(200_055, { topic: 'T', consumerGroup: 'CG', queueId: 9 })).code).toBe(29)
    await send(harness, 'late')
    for (let turns = 0; turns < 5; turns++) await harness.turn()
    expect(bodies(replies[0])).toEqual(['late'])
    const fruitless = harness.send(200_050, popHeader({ pollTime: 15_000 }))
    await pass(harness, 15_000)
    expect(fruitless[0]?.code).toBe(210)
  })

  test('of a new group begins at the first message or, in an old queue, at the last', async () => {
    const harness = await withMessages(4)
    harness.store.isOld = true
    expect(bodies(await pop(harness, { initMode: 1 }))).toEqual(['m3'])
  })

  test('stops where a group has too much in flight', async () => {
    const harness = await withMessages(15)
    expect(bodies(await pop(harness, { maxMsgNums: 10 }))).toHaveLength(10)
    expect((await pop(harness)).code).toBe(210)
  })

  test('whose record is void, because the group was moved meanwhile, gives nothing', async () => {
    const harness = await withMessages(3)
    harness.log.isHolding = true
    const replies = harness.send(200_050, popHeader())
    for (let turns = 0; turns < 3; turns++) await harness.turn()
    harness.offsets.move({ topic: 'T', group: 'CG', queueId: 0 }, 2)
    harness.log.isHolding = false
    harness.log.release()
    for (let turns = 0; turns < 10; turns++) await harness.turn()
    expect(bodies(replies[0])).toEqual(['m2'])
  })

  test.each([
    ['of an unknown topic', { topic: 'No' }, 17],
    ['of a queue that is none', { queueId: 9 }, 29],
    ['of too many messages', { maxMsgNums: 33 }, 29],
    ['that hides messages for no time', { invisibleTime: -5 }, 29],
    ['with an unreadable filter', { exp: 'a >', expType: 'SQL92' }, 23],
    ['of a group with an illegal name', { consumerGroup: 'a b' }, 26],
  ])('%s is refused', async (_what, given, code) => {
    expect((await pop(await withMessages(1), given)).code).toBe(code)
  })
})

describe('a popped message', () => {
  test('that is not acknowledged in time comes again, once, from the retry topic', async () => {
    const harness = await withMessages(2)
    const [first] = receiptsOf(await pop(harness))
    await ack(harness, first)
    await pass(harness, 10_000)
    const again = await pop(harness)
    expect(bodies(again)).toEqual(['m1'])
    expect(again.fields['startOffsetInfo']).toBe('1 0 0')
    const [message] = decodeRecords(again.bytes)
    expect(message).toMatchObject({ topic: RETRY, reconsumeTimes: 1 })
    expect(findProperty(message?.properties ?? Buffer.alloc(0), '1ST_POP_TIME')).toBeDefined()
    expect((await ack(harness, receiptsOf(again)[0])).code).toBe(0)
    await pass(harness, 60_000)
    expect((await pop(harness)).code).toBe(210)
    expect(harness.log.messages(RETRY, 0)).toHaveLength(1)
  })

  test('comes again from the retry topic into the retry topic, counted', async () => {
    const harness = await withMessages(1)
    for (let times = 0; times < 3; times++) {
      expect(decodeRecords((await pop(harness)).bytes)[0]?.reconsumeTimes).toBe(times)
      await pass(harness, 10_000)
    }
  })

  test('wakes a pop that waits when it comes again', async () => {
    const harness = await withMessages(1)
    await pop(harness)
    const replies = harness.send(200_050, popHeader({ pollTime: 30_000 }))
    await pass(harness, 10_000)
    expect(bodies(replies[0])).toEqual(['m0'])
  })

  test('stays away longer when its time is changed, and is acknowledged by the new receipt', async () => {
    const harness = await withMessages(2)
    const [one, two] = receiptsOf(await pop(harness))
    if (one === undefined) throw new Error('two were popped')
    const changed = await harness.ask(200_053, { ...one, invisibleTime: 60_000 })
    expect(changed).toMatchObject({ code: 0, fields: { invisibleTime: 60_000, reviveQid: 0 } })
    await ack(harness, two)
    await pass(harness, 30_000)
    expect((await pop(harness)).code).toBe(210)
    const { popTime } = changed.fields
    await ack(harness, { ...one, extraInfo: `${one.offset} ${String(popTime)} 60000 0 0 broker-a 0 0` })
    await pass(harness, 60_000)
    expect((await pop(harness)).code).toBe(210)
  })

  test('whose time is changed twice by one receipt, because an answer was lost, is acknowledged by what came last', async () => {
    const harness = await withMessages(1)
    const [receipt] = receiptsOf(await pop(harness))
    harness.clock.advance(1000)
    const change = () => harness.ask(200_053, { ...receipt, invisibleTime: 60_000 })
    const first = await change()
    harness.clock.advance(1000)
    const second = await change()
    expect(second.fields).toEqual(first.fields)
    const { popTime, invisibleTime } = second.fields
    const extraInfo = `0 ${String(popTime)} ${String(invisibleTime)} 0 0 broker-a 0 0`
    expect((await ack(harness, receipt && { ...receipt, extraInfo })).code).toBe(0)
    expect([...harness.checkpoints.all()]).toEqual([])
  })

  test('comes again sooner when its time is cut', async () => {
    const harness = await withMessages(1)
    const [one] = receiptsOf(await pop(harness))
    await harness.ask(200_053, { ...one, invisibleTime: 0 })
    await pass(harness, 0)
    expect(bodies(await pop(harness))).toEqual(['m0'])
  })

  test('whose acknowledgement is on its way does not come again behind it', async () => {
    const harness = await withMessages(1)
    harness.topics.apply('create', [topicConfig(RETRY)], { timestampMs: 1 })
    const [one] = receiptsOf(await pop(harness))
    harness.log.isHolding = true
    const replies = harness.send(200_051, { ...one })
    await pass(harness, 10_000)
    harness.log.isHolding = false
    harness.log.release()
    await pass(harness, 10_000)
    expect(replies[0]?.code).toBe(0)
    expect(harness.log.messages(RETRY, 0)).toEqual([])
  })

  test('that is not known here is done, or stays away longer, only where this node surely leads', async () => {
    const harness = await withMessages(1)
    const receipt = receiptsOf(await pop(harness))[0]
    const unknown = receipt && { ...receipt, extraInfo: receipt.extraInfo.replace(/^\d+ \d+/, '0 1') }
    harness.leadership.readBarrier = () => Promise.reject(refusal('BROKER_NOT_LEADER', 'another one leads'))
    expect((await ack(harness, unknown)).code).not.toBe(0)
    expect((await harness.ask(200_053, { ...unknown, invisibleTime: 60_000 })).code).not.toBe(0)
    expect((await ack(harness, receipt)).code).toBe(0)
    harness.leadership.readBarrier = () => Promise.resolve()
    expect((await ack(harness, unknown)).code).toBe(0)
  })

  test('may be acknowledged in a batch of bits', async () => {
    const harness = await withMessages(10)
    const reply = await pop(harness)
    const batch = { c: 'CG', t: 'T', r: '0', so: 0, q: 0, rq: 0, pt: reply.fields['popTime'], it: 10_000 }
    const b = Buffer.of(0b1111_1011, 0b11).toString('base64')
    const body = JSON.stringify({ brokerName: 'broker-a', acks: [{ ...batch, b }] })
    expect((await harness.ask(200_151, {}, body)).code).toBe(0)
    await pass(harness, 10_000)
    expect(bodies(await pop(harness))).toEqual(['m2'])
    expect((await harness.ask(200_151)).code).toBe(208)
  })
})

describe('a wrong receipt', () => {
  test.each([
    ['that is none', { extraInfo: 'nonsense' }, 1],
    ['with too few parts', { extraInfo: '0 1 2' }, 1],
    ['with numbers that are none', { extraInfo: '0 1e9 2 3 0 broker-a 0 0' }, 1],
    ['of an unknown topic', { topic: 'No' }, 17],
    ['of a queue that is none', { queueId: 7 }, 13],
    ['of an offset that the queue has not', { offset: 99 }, 208],
    ['of another pop', { extraInfo: '0 1 2 3 0 broker-a 0 0' }, 0],
    ['of a message that was not popped', { offset: 1 }, 0],
    ['of an ordered pop that was none', { extraInfo: '0 1 2 999 0 broker-a 0 0' }, 0],
  ])('%s is answered as RocketMQ does and changes nothing', async (_what, given, code) => {
    const harness = await withMessages(2)
    const [one] = receiptsOf(await pop(harness, { maxMsgNums: 1 }))
    const before = digestRows(harness.checkpoints.rows())
    expect((await harness.ask(200_051, { ...one, ...given })).code).toBe(code)
    expect((await harness.ask(200_053, { ...one, ...given, invisibleTime: 5 })).code).toBe(code)
    expect(digestRows(harness.checkpoints.rows())).toBe(before)
  })
})

describe('an ordered pop', () => {
  const ordered = { order: true, queueId: 0, maxMsgNums: 2 }

  test('gives nothing more of a queue until what it gave is acknowledged', async () => {
    const harness = await withMessages(4)
    const first = await pop(harness, ordered)
    expect(bodies(first)).toEqual(['m0', 'm1'])
    expect(first.fields['reviveQid']).toBe(999)
    expect((await pop(harness, ordered)).code).toBe(210)
    const waiting = harness.send(200_050, popHeader({ ...ordered, pollTime: 9_000 }))
    await harness.turn()
    for (const receipt of receiptsOf(first)) await ack(harness, receipt)
    for (let turns = 0; turns < 5; turns++) await harness.turn()
    expect(bodies(waiting[0])).toEqual(['m2', 'm3'])
  })

  test('gives what was not acknowledged once more, counted, from the first of it on', async () => {
    const harness = await withMessages(4)
    const [one] = receiptsOf(await pop(harness, ordered))
    await ack(harness, one)
    expect(harness.offsets.get('T', 'CG', 0)).toBe(1)
    await pass(harness, 10_000)
    const again = await pop(harness, ordered)
    expect(bodies(again)).toEqual(['m1', 'm2'])
    expect(again.fields['orderCountInfo']).toBe('0 qo0%1 1')
  })

  test('that is asked again by the same attempt is given the same', async () => {
    const harness = await withMessages(4)
    await pop(harness, { ...ordered, attemptId: 'x' })
    expect(bodies(await pop(harness, { ...ordered, attemptId: 'x' }))).toEqual(['m0', 'm1'])
    expect((await pop(harness, { ...ordered, attemptId: 'y' })).code).toBe(210)
  })

  test('may be made visible sooner', async () => {
    const harness = await withMessages(2)
    for (const receipt of receiptsOf(await pop(harness, ordered))) {
      expect((await harness.ask(200_053, { ...receipt, invisibleTime: 100 })).code).toBe(0)
    }
    harness.clock.advance(200)
    expect(bodies(await pop(harness, ordered))).toEqual(['m0', 'm1'])
  })
})

test('a notification says that there is something, at once or when it comes', async () => {
  const harness = await withMessages(1)
  const ask = { consumerGroup: 'CG', topic: 'T', queueId: -1, pollTime: 10_000, bornTime: 0 }
  expect((await harness.ask(200_054, ask)).fields).toMatchObject({ hasMsg: true })
  await pop(harness)
  const replies = harness.send(200_054, ask)
  await send(harness, 'new')
  expect(replies[0]?.fields).toMatchObject({ hasMsg: true })
  await pop(harness)
  const fruitless = harness.send(200_054, ask)
  harness.clock.advance(10_250)
  expect(fruitless[0]?.fields).toMatchObject({ hasMsg: false })
})

test('peeking takes nothing away', async () => {
  const harness = await withMessages(2)
  const peek = { topic: 'T', consumerGroup: 'CG', queueId: 0, maxMsgNums: 1 }
  expect(bodies(await harness.ask(200_052, peek))).toEqual(['m0'])
  expect(bodies(await harness.ask(200_052, peek))).toEqual(['m0'])
  expect((await harness.ask(200_056)).code).toBe(0)
})

test('the table of checkpoints is the same after a snapshot, and empty after its topic or group is gone', async () => {
  const harness = await withMessages(8, 2)
  const [one] = receiptsOf(await pop(harness, { maxMsgNums: 3 }))
  await ack(harness, one)
  await pop(harness, { queueId: 1, order: true })
  const copy = new PopCheckpoints({ offsetOf: () => 0, commit: () => undefined })
  copy.load(structuredClone([...harness.checkpoints.rows()]))
  expect(digestRows(copy.rows())).toBe(digestRows(harness.checkpoints.rows()))
  expect(copy.inFlight({ topic: 'T', group: 'CG', queueId: one?.queueId ?? 0 })).toBe(
    harness.checkpoints.inFlight({ topic: 'T', group: 'CG', queueId: one?.queueId ?? 0 }),
  )
  copy.forget(({ group }) => group === 'CG')
  expect([...copy.rows()]).toEqual([])
})

describe('the queues of a consumer', () => {
  test('are its share, pulled, until the group is set to POP: then one pop of the broker’s queues', async () => {
    const harness = await withConsumers(2)
    expect(await assigned(harness, 'c0')).toEqual(['PULL 0', 'PULL 1'])
    expect(await assigned(harness, 'c1', 'AVG_BY_CIRCLE')).toEqual(['PULL 1', 'PULL 3'])
    expect(await assigned(harness, 'stranger')).toEqual([])
    expect((await setMode(harness, 0)).code).toBe(0)
    expect(await assigned(harness, 'c0')).toEqual(['POP -1'])
    expect((await harness.ask(402)).bytes.toString()).toContain('"mode":"POP"')
  })

  test('are shared with as many others as was set', async () => {
    const harness = await withConsumers(4)
    await setMode(harness, 1)
    expect(await assigned(harness, 'c3')).toEqual(['POP 3', 'POP 0'])
  })

  test('of an unknown topic, group or mode are not set', async () => {
    const harness = await withConsumers(0)
    expect((await setMode(harness, 0, { topic: 'No' })).code).toBe(17)
    expect((await setMode(harness, 0, { topic: RETRY })).code).toBe(16)
    expect((await setMode(harness, 0, { consumerGroup: 'a b' })).code).toBe(26)
    expect(harness.modes.all()).toEqual([])
    // As whoever consumes makes a group.
    expect((await setMode(harness, 0, { consumerGroup: 'New' })).code).toBe(0)
    expect(harness.groups.has('New')).toBe(true)
    expect((await setMode(harness, 0, { mode: 'PUSH' })).code).toBe(29)
  })
})
