import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/lib/log.ts'
import { decodeProperties } from '../../src/message/properties.ts'
import { DelaySchedule } from '../../src/broker/timed/delay-schedule.ts'
import { refusal } from '../../src/broker/errors.ts'
import { topicConfig } from '../../src/broker/tables/topics.ts'
import { createHarness, type Harness, sendHeader } from './processors/harness.ts'

function scheduled(): Harness & { schedule: DelaySchedule } {
  const harness = createHarness()
  harness.topics.apply('create', [topicConfig('T', { readQueueNums: 4, writeQueueNums: 4 })], { timestampMs: 1 })
  return Object.assign(harness, { schedule: scheduleOf(harness) })
}

function scheduleOf(harness: Harness): DelaySchedule {
  const { delayOffsets: offsets, store, log: proposals, leadership, topics, delayLevels: levels, clock } = harness
  return new DelaySchedule({ offsets, store, proposals, leadership, topics, levels, clock, log: silentLog })
}

async function send(harness: Harness, text: string, level: number): Promise<void> {
  await harness.ask(
    10,
    sendHeader('T', { queueId: 1, properties: `DELAY\u0001${level}\u0002UNIQ_KEY\u0001${text}\u0002` }),
    text,
  )
}

/** Time goes on tick by tick, as promises need their turns between. */
async function wait(harness: Harness, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    harness.clock.advance(Math.min(100, ms - passed))
    for (let i = 0; i < 4; i++) await harness.turn()
  }
}

const delivered = (harness: Harness): string[] => harness.log.messages('T', 1).map(({ body }) => body.toString())

describe('a delayed message', () => {
  test('is delivered to its queue when its level’s time is over, not before', async () => {
    const harness = scheduled()
    await send(harness, 'late', 2)
    await wait(harness, 4_900)
    expect(delivered(harness)).toEqual([])
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['late'])
    const properties = decodeProperties(harness.log.messages('T', 1)[0]?.properties ?? Buffer.alloc(0))
    // As a stock broker delivers it.
    expect(properties.get('DELAY')).toBe('2')
    expect(properties.get('UNIQ_KEY')).toBe('late')
  })

  test('is delivered in the entry that says so, and never again', async () => {
    const harness = scheduled()
    await send(harness, 'once', 1)
    await wait(harness, 5_000)
    expect(delivered(harness)).toEqual(['once'])
    expect(harness.delayOffsets.get(1)).toBe(1)
    harness.schedule.close()
    scheduleOf(harness)
    await wait(harness, 5_000)
    expect(delivered(harness)).toEqual(['once'])
  })

  test('does not wait for one of a longer level that came before it', async () => {
    const harness = scheduled()
    await send(harness, 'long', 3)
    await send(harness, 'short', 1)
    await wait(harness, 1_200)
    expect(delivered(harness)).toEqual(['short'])
    await wait(harness, 9_000)
    expect(delivered(harness)).toEqual(['short', 'long'])
  })

  test('comes in the order of its level, many of them in few entries', async () => {
    const harness = scheduled()
    const texts = Array.from({ length: 150 }, (_, at) => `m${at}`)
    for (const text of texts) await send(harness, text, 1)
    const before = harness.log.commands.length
    await wait(harness, 1_500)
    expect(delivered(harness)).toEqual(texts)
    expect(harness.log.commands.length - before).toBe(3)
  })

  test('waits while nobody leads, and is delivered by the next leader', async () => {
    const harness = scheduled()
    await send(harness, 'm', 1)
    harness.leadership.isReady = false
    await wait(harness, 3_000)
    expect(delivered(harness)).toEqual([])
    harness.leadership.isReady = true
    harness.leadership.term = 2
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['m'])
  })

  test('whose delivery found no room is tried again', async () => {
    const harness = scheduled()
    await send(harness, 'm', 1)
    harness.log.failure = refusal('BROKER_BUSY', 'full')
    await wait(harness, 2_000)
    harness.log.failure = undefined
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['m'])
  })

  test('whose delivery is undecided is not delivered a second time in the same term', async () => {
    const harness = scheduled()
    await send(harness, 'm', 1)
    harness.log.isHolding = true
    await wait(harness, 1_200)
    const [late] = harness.log.held.splice(0)
    harness.log.failure = refusal('BROKER_UNDECIDED', 'no quorum in time')
    late?.()
    harness.log.failure = undefined
    harness.log.isHolding = false
    await wait(harness, 3_000)
    expect(delivered(harness)).toEqual([])
    harness.leadership.term = 2
    await wait(harness, 200)
    expect(delivered(harness)).toEqual(['m'])
  })

  test('goes with its topic when that is deleted, and does not hold up those behind it', async () => {
    const harness = scheduled()
    await send(harness, 'gone', 1)
    harness.topics.apply('create', [topicConfig('T2')], { timestampMs: 1 })
    await harness.ask(10, sendHeader('T2', { properties: 'DELAY\u00011\u0002' }), 'stays')
    harness.topics.apply('delete', ['T'], { timestampMs: 2 })
    await wait(harness, 1_500)
    expect(harness.log.messages('T', 1)).toEqual([])
    expect(harness.log.messages('T2', 0)).toHaveLength(1)
  })

  test('does not wait longer than its delay because the wall clock went back', async () => {
    const harness = scheduled()
    await send(harness, 'm', 2)
    harness.clock.jumpWall(-3_600_000)
    await wait(harness, 4_900)
    expect(delivered(harness)).toEqual([])
    await wait(harness, 300)
    expect(delivered(harness)).toEqual(['m'])
  })
})

describe('a message sent back', () => {
  test('comes again over the group’s retry topic after 10 s, knowing where it came from', async () => {
    const harness = await consumed()
    expect((await harness.ask(36, back({ offset: harness.offset }))).code).toBe(0)
    await wait(harness, 9_900)
    expect(harness.log.messages('%RETRY%CG', 0)).toEqual([])
    await wait(harness, 300)
    const [again] = harness.log.messages('%RETRY%CG', 0)
    expect(again).toMatchObject({ reconsumeTimes: 1, bornTimestampMs: 1_600_000_000_000 })
    expect(again?.body.toString()).toBe('x')
    expect(Object.fromEntries(decodeProperties(again?.properties ?? Buffer.alloc(0)))).toMatchObject({
      RETRY_TOPIC: 'T',
      ORIGIN_MESSAGE_ID: '7F00000100002A9F0000000000000000',
      UNIQ_KEY: 'U1',
      TAGS: 'A',
      REAL_TOPIC: '%RETRY%CG',
    })
  })

  test('for the second time waits at the next level and keeps its first topic and id', async () => {
    const harness = await consumed()
    await harness.ask(36, back({ offset: harness.offset }))
    await wait(harness, 10_200)
    const first = harness.log.messages('%RETRY%CG', 0)[0]
    await harness.ask(36, back({ offset: first?.offset ?? -1 }))
    await wait(harness, 29_800)
    expect(harness.log.messages('%RETRY%CG', 0)).toHaveLength(1)
    await wait(harness, 400)
    const second = harness.log.messages('%RETRY%CG', 0)[1]
    expect(second?.reconsumeTimes).toBe(2)
    const properties = decodeProperties(second?.properties ?? Buffer.alloc(0))
    expect(properties.get('RETRY_TOPIC')).toBe('T')
    expect(properties.get('ORIGIN_MESSAGE_ID')).toBe('7F00000100002A9F0000000000000000')
  })

  test.each([
    ['too often', { maxReconsumeTimes: 0 }],
    ['with a negative delay', { delayLevel: -1 }],
  ])('%s ends in the dead-letter topic at once', async (_what, given) => {
    const harness = await consumed()
    expect((await harness.ask(36, back({ offset: harness.offset, ...given }))).code).toBe(0)
    expect(harness.log.messages('%DLQ%CG', 0)[0]?.reconsumeTimes).toBe(1)
    expect(harness.log.messages('SCHEDULE_TOPIC_XXXX', 2)).toEqual([])
  })

  test('that is not in the log is SYSTEM_ERROR', async () => {
    const harness = await consumed()
    expect(await harness.ask(36, back({ offset: 12_345 }))).toMatchObject({
      code: 1,
      remark: 'look message by offset failed, 12345',
    })
  })

  test('whose fate is not known is answered so', async () => {
    const harness = await consumed()
    await harness.ask(36, back({ offset: harness.offset }))
    harness.log.failure = refusal('BROKER_UNDECIDED', 'no quorum in time')
    expect((await harness.ask(36, back({ offset: harness.offset }))).remark).toMatch(/^UNKNOWN/)
  })

  test('shows in the delay offsets', async () => {
    const harness = await consumed()
    await harness.ask(36, back({ offset: harness.offset, delayLevel: 1 }))
    await wait(harness, 1_200)
    expect((await harness.ask(45)).bytes.toString()).toContain('"offsetTable":{1:1}')
  })
})

async function consumed(): Promise<Harness & { offset: number }> {
  const harness = scheduled()
  await harness.ask(10, sendHeader('T', { queueId: 1 }), 'x')
  return Object.assign(harness, { offset: harness.log.messages('T', 1)[0]?.offset ?? -1 })
}

function back(given: Record<string, number | string>): Record<string, number | string> {
  return { group: 'CG', delayLevel: 0, ...given }
}
