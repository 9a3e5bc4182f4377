import { describe, expect, test } from 'vitest'
import { topicConfig } from '../../src/broker/tables/topics.ts'
import { createHarness, type Harness, sendHeader } from './processors/harness.ts'

const kinds: Readonly<Record<string, string>> = {
  NORMAL: 'a\u0001b\u0002',
  FIFO: '__SHARDINGKEY\u0001k\u0002',
  DELAY: 'DELAY\u00011\u0002',
  TRANSACTION: 'TRAN_MSG\u0001true\u0002PGROUP\u0001PG\u0002',
}

function withType(type: string | undefined): Harness {
  const harness = createHarness()
  const attributes: Record<string, string> = type === undefined ? {} : { 'message.type': type }
  harness.topics.apply('create', [topicConfig('T', { attributes })], { timestampMs: 1 })
  return harness
}

async function taken(harness: Harness): Promise<string[]> {
  const kept: string[] = []
  for (const [kind, properties] of Object.entries(kinds)) {
    const { code, remark } = await harness.ask(10, sendHeader('T', { properties }), 'x')
    if (code === 0) kept.push(kind)
    else expect([code, remark]).toEqual([13, expect.stringContaining(`but actual type is ${kind}`)])
  }
  return kept
}

describe('a topic', () => {
  test.each([
    ['NORMAL', ['NORMAL']],
    ['FIFO', ['NORMAL', 'FIFO']],
    ['DELAY', ['DELAY']],
    ['TRANSACTION', ['TRANSACTION']],
    ['MIXED', Object.keys(kinds)],
    ['UNSPECIFIED', Object.keys(kinds)],
    [undefined, Object.keys(kinds)],
  ])('of message.type %s takes what it says', async (type, expected) => {
    expect(await taken(withType(type))).toEqual(expected)
  })

  test('takes everything where its type is not asked', async () => {
    const harness = withType('NORMAL')
    harness.options.enableTopicMessageTypeCheck = false
    expect(await taken(harness)).toEqual(Object.keys(kinds))
  })

  test('may be MIXED where that is allowed', async () => {
    const harness = createHarness()
    const header = { topic: 'M', defaultTopic: 'TBW102', readQueueNums: 1, writeQueueNums: 1, perm: 6, order: false }
    const asked = { ...header, topicFilterType: 'SINGLE_TAG', attributes: '+message.type=MIXED' }
    expect((await harness.ask(17, asked)).code).toBe(29)
    harness.options.enableMixedMessageType = true
    expect((await harness.ask(17, asked)).code).toBe(0)
  })
})
