import { describe, expect, test } from 'vitest'
import { refusal } from '../../src/broker/errors.ts'
import type { Proposals } from '../../src/broker/needs.ts'
import { encodeRecallHandle } from '../../src/broker/timed/recall-handle.ts'
import { TimerSchedule } from '../../src/broker/timed/timer-schedule.ts'
import { topicConfig } from '../../src/broker/tables/topics.ts'
import { silentLog } from '../../src/lib/log.ts'
import { decodeProperties } from '../../src/message/properties.ts'
import { createHarness, type Harness, sendHeader } from './processors/harness.ts'

const TIMER = 'rmq_sys_wheel_timer'
const YEAR_MS = 365 * 86_400_000

function withTopic(): Harness {
  const harness = createHarness()
  harness.topics.apply('create', [topicConfig('T', { readQueueNums: 4, writeQueueNums: 4 })], { timestampMs: 1 })
  return harness
}

function send(harness: Harness, properties: string, key = 'U1') {
  const text = `${properties}\u0002UNIQ_KEY\u0001${key}\u0002`
  return harness.ask(10, sendHeader('T', { queueId: 1, properties: text }), key)
}

/** Time goes on tick by tick, as promises need their turns between. */
async function wait(harness: Harness, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    harness.clock.advance(Math.min(100, ms - passed))
    for (let i = 0; i < 4; i++) await harness.turn()
  }
}

const delivered = (harness: Harness): string[] => harness.log.messages('T', 1).map(({ body }) => body.toString())

describe('a message for a time of its own', () => {
  test.each([
    ['TIMER_DELAY_SEC', '5', 5_000],
    ['TIMER_DELAY_MS', '2500', 2_500],
    ['TIMER_DELIVER_MS', String(1_700_000_000_000 + 3_300), 3_300],
  ])('by %s=%s is delivered then, not before', async (name, value, delayMs) => {
    const harness = withTopic()
    const reply = await send(harness, `${name}\u0001${value}`)
    expect(reply).toMatchObject({ code: 0, fields: { queueId: 1, queueOffset: 0, transactionId: 'U1' } })
    expect(harness.log.messages(TIMER, 0)).toHaveLength(1)
    await wait(harness, delayMs - 100)
    expect(delivered(harness)).toEqual([])
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['U1'])
    const properties = decodeProperties(harness.log.messages('T', 1)[0]?.properties ?? Buffer.alloc(0))
    // As in a stock broker's record.
    for (const kept of ['REAL_TOPIC', 'REAL_QID', 'TIMER_ENQUEUE_MS', 'TIMER_DEQUEUE_MS'])
      expect(properties.has(kept)).toBe(true)
    expect(properties.get('TIMER_OUT_MS')).toBe(String(1_700_000_000_000 + delayMs))
    await wait(harness, 10_000)
    expect(delivered(harness)).toEqual(['U1'])
  })

  test('whose time is over is delivered at once', async () => {
    const harness = withTopic()
    await send(harness, 'TIMER_DELIVER_MS\u00011000')
    await send(harness, 'TIMER_DELAY_MS\u0001-5', 'U2')
    await send(harness, 'TIMER_DELAY_SEC\u00010', 'U3')
    expect(delivered(harness)).toEqual(['U1', 'U2', 'U3'])
  })

  test('waits a year', async () => {
    const harness = withTopic()
    expect((await send(harness, `TIMER_DELAY_MS\u0001${YEAR_MS}`)).code).toBe(0)
    harness.clock.advance(0)
    harness.clock.jumpWall(YEAR_MS - 1_000)
    await wait(harness, 500)
    expect(delivered(harness)).toEqual([])
    await wait(harness, 700)
    expect(delivered(harness)).toEqual(['U1'])
  })

  test.each(['abc', '1.5', '31622401', '9999999999999999999'])(
    'after %j seconds is MESSAGE_ILLEGAL, and nothing is stored',
    async (value) => {
      const harness = withTopic()
      const reply = await send(harness, `TIMER_DELAY_SEC\u0001${value}`)
      expect(reply).toMatchObject({ code: 13, remark: expect.stringContaining('timer message illegal') })
      expect(harness.log.queues.size).toBe(0)
    },
  )

  test('is refused where timers are off', async () => {
    const harness = withTopic()
    harness.options.timerWheelEnable = false
    const reply = await send(harness, 'TIMER_DELAY_SEC\u00015')
    expect(reply).toMatchObject({ code: 1, remark: expect.stringContaining('timerWheelEnable is false') })
  })

  test('cannot be stored as waiting by its sender', async () => {
    const harness = withTopic()
    expect((await harness.ask(10, sendHeader(TIMER), 'x')).code).toBe(16)
  })

  test('is delivered in the order of the times, many of them in few entries', async () => {
    const harness = withTopic()
    const keys = Array.from({ length: 300 }, (_, at) => `m${at}`)
    for (const [at, key] of keys.entries()) await send(harness, `TIMER_DELAY_MS\u0001${2_000 - at}`, key)
    const before = harness.log.commands.length
    await wait(harness, 2_500)
    expect(delivered(harness)).toEqual(keys.toReversed())
    expect(harness.log.commands.length - before).toBeLessThan(20)
  })

  test('goes with its topic when that is deleted', async () => {
    const harness = withTopic()
    await send(harness, 'TIMER_DELAY_SEC\u00011')
    harness.topics.apply('delete', ['T'], { timestampMs: 2 })
    await wait(harness, 1_500)
    expect(delivered(harness)).toEqual([])
    expect(harness.timerIndex.pending.size).toBe(0)
  })

  test('waits while nobody leads, and is delivered by the next leader', async () => {
    const harness = withTopic()
    await send(harness, 'TIMER_DELAY_SEC\u00011')
    harness.leadership.isReady = false
    await wait(harness, 3_000)
    expect(delivered(harness)).toEqual([])
    harness.leadership.isReady = true
    harness.leadership.term = 2
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['U1'])
  })

  test('whose delivery found no room is tried again', async () => {
    const harness = withTopic()
    await send(harness, 'TIMER_DELAY_SEC\u00011')
    harness.log.failure = refusal('BROKER_BUSY', 'full')
    await wait(harness, 2_000)
    harness.log.failure = undefined
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['U1'])
  })

  test('whose delivery is undecided is not delivered a second time in the same term', async () => {
    const harness = withTopic()
    await send(harness, 'TIMER_DELAY_SEC\u00011')
    harness.log.failure = refusal('BROKER_UNDECIDED', 'no quorum in time')
    await wait(harness, 1_200)
    harness.log.failure = undefined
    await wait(harness, 3_000)
    expect(delivered(harness)).toEqual([])
    harness.leadership.term = 2
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['U1'])
  })

  test('is stored again before retention drops it, and still delivered once, in time', async () => {
    const harness = withTopic()
    await send(harness, 'TIMER_DELAY_SEC\u00015')
    await send(harness, 'TIMER_DELAY_SEC\u00016', 'U2')
    const end = harness.log.messages(TIMER, 0)[1]?.offset ?? 0
    expect(await harness.timers.keepBefore(end)).toBe(Infinity)
    const [first, second, again, ...more] = harness.log.messages(TIMER, 0)
    expect(more).toEqual([])
    expect([...harness.timerIndex.pending.keys()].toSorted((a, b) => a - b)).toEqual([second?.offset, again?.offset])
    expect(first?.offset).toBe(0)
    expect(decodeProperties(again?.properties ?? Buffer.alloc(0)).get('TIMER_ROLL_TIMES')).toBe('1')
    await wait(harness, 4_900)
    expect(delivered(harness)).toEqual([])
    await wait(harness, 1_300)
    expect(delivered(harness)).toEqual(['U1', 'U2'])
  })
})

describe('when the leader dies at a delivery', () => {
  test.each(['lost', 'kept'] as const)('whose entry is %s, its messages are delivered once', async (fate) => {
    const harness = withTopic()
    harness.timers.close()
    const dying: Pick<Proposals, 'commandWithRecords'> = {
      commandWithRecords(command, drafts) {
        if (fate === 'kept') void harness.log.commandWithRecords(command, drafts)
        return new Promise(() => undefined)
      },
    }
    const parts = { ...harness, timers: harness.timerIndex, log: silentLog }
    const first = new TimerSchedule({ ...parts, proposals: dying })
    for (const key of ['a', 'b', 'c']) await send(harness, 'TIMER_DELAY_SEC\u00011', key)
    await wait(harness, 1_200)
    first.close()
    expect(delivered(harness)).toEqual(fate === 'kept' ? ['a', 'b', 'c'] : [])
    harness.leadership.term = 2
    const next = new TimerSchedule({ ...parts, proposals: harness.log })
    await wait(harness, 500)
    next.close()
    expect(delivered(harness)).toEqual(['a', 'b', 'c'])
  })
})

async function waiting(harness: Harness, delayMs = 5_000): Promise<string> {
  const reply = await send(harness, `TIMER_DELAY_MS\u0001${delayMs}`)
  return String(reply.fields['recallHandle'])
}

const handle = (given: Record<string, string | number> = {}): string =>
  encodeRecallHandle({
    topic: 'T',
    brokerName: 'broker-a',
    timestampMs: 1_700_000_005_001,
    uniqueKey: 'U1',
    ...given,
  })

describe('a recall', () => {
  test('by the handle of its send keeps the message from being delivered', async () => {
    const harness = withTopic()
    const recallHandle = await waiting(harness)
    expect(Buffer.from(recallHandle, 'base64url').toString()).toBe('v1 T broker-a 1700000005001 U1')
    const reply = await harness.ask(370, { topic: 'T', recallHandle })
    expect(reply).toMatchObject({ code: 0, fields: { msgId: 'U1' } })
    expect((await harness.ask(370, { topic: 'T', recallHandle })).code).toBe(0)
    await wait(harness, 6_000)
    expect(delivered(harness)).toEqual([])
  })

  test('takes back what the sender sent twice, as the answer to the first was lost', async () => {
    const harness = withTopic()
    const deliverAt = `TIMER_DELIVER_MS\u0001${1_700_000_000_000 + 5_000}`
    await send(harness, deliverAt)
    const { fields } = await send(harness, deliverAt)
    const recallHandle = String(fields['recallHandle'])
    expect((await harness.ask(370, { topic: 'T', recallHandle })).code).toBe(0)
    await wait(harness, 6_000)
    expect(delivered(harness)).toEqual([])
  })

  test('leaves the others that are due at the same time', async () => {
    const harness = withTopic()
    const recallHandle = await waiting(harness)
    await send(harness, 'TIMER_DELAY_MS\u00015000', 'U2')
    await harness.ask(370, { topic: 'T', recallHandle })
    await wait(harness, 5_200)
    expect(delivered(harness)).toEqual(['U2'])
  })

  test('that was proposed before the message was due keeps a delivery from being proposed', async () => {
    const harness = withTopic()
    const recallHandle = await waiting(harness, 1_000)
    await wait(harness, 900)
    harness.log.isHolding = true
    const replies = harness.send(370, { topic: 'T', recallHandle })
    await wait(harness, 500)
    expect(harness.log.held).toHaveLength(1)
    harness.log.isHolding = false
    harness.log.release()
    await wait(harness, 1_000)
    expect(replies[0]?.code).toBe(0)
    expect(delivered(harness)).toEqual([])
  })

  test.each([
    ['that is no base64', '!!', 604, 'recall handle is invalid'],
    ['that says nothing', Buffer.from('v1').toString('base64url'), 604, 'recall handle is invalid'],
    ['of another version', Buffer.from('v2 T broker-a 1 U').toString('base64url'), 604, 'recall handle is invalid'],
    ['of another topic', handle({ topic: 'X' }), 604, 'recall failed, topic not match'],
    ['of another broker', handle({ brokerName: 'broker-b' }), 604, 'recall failed, broker service not available'],
    ['for a time that is over', handle({ timestampMs: 5 }), 604, 'recall failed, timestamp invalid'],
    ['without a time', Buffer.from('v1 T broker-a x U').toString('base64url'), 604, 'recall failed, timestamp invalid'],
  ])('by a handle %s is refused', async (_what, recallHandle, code, remark) => {
    const harness = withTopic()
    await waiting(harness)
    expect(await harness.ask(370, { topic: 'T', recallHandle })).toMatchObject({ code, remark })
    expect(harness.timerIndex.pending.size).toBe(1)
  })

  test('for an unknown topic, and where recalls are off, is refused', async () => {
    const harness = withTopic()
    expect((await harness.ask(370, { topic: 'X', recallHandle: handle({ topic: 'X' }) })).code).toBe(17)
    harness.options.recallMessageEnable = false
    expect((await harness.ask(370, { topic: 'T', recallHandle: handle() })).code).toBe(16)
  })
})
