import { describe, expect, test } from 'vitest'
import { decodeRecords } from '../../../src/message/record.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { createHarness, type Harness, pullHeader, sendHeader, type TestReply } from './harness.ts'

async function filled(count: number): Promise<Harness> {
  const harness = createHarness()
  harness.topics.apply('create', [topicConfig('T')], { timestampMs: 1 })
  for (let at = 0; at < count; at++) {
    await harness.ask(10, sendHeader('T', { properties: `TAGS\u0001t${at}\u0002` }), `m${at}`)
  }
  return harness
}

const bodies = (reply: TestReply | undefined): string[] =>
  decodeRecords(reply?.bytes ?? Buffer.alloc(0)).map(({ body }) => body.toString())

const check = (subString: string, expressionType = 'SQL92') => {
  const subscriptionData = { topic: 'T', subString, expressionType, tagsSet: [], codeSet: [], subVersion: 1 }
  return JSON.stringify({ clientId: 'c1', group: 'CG', subscriptionData })
}

const sql = (expression: string, given: Record<string, string | number> = {}) =>
  pullHeader('T', { expressionType: 'SQL92', subscription: expression, ...given })

const heartbeat = (groupName: string, subString: string): string => {
  const subscription = { topic: 'T', subString, tagsSet: [], codeSet: [], subVersion: 5, expressionType: 'SQL92' }
  const consumer = { groupName, consumeType: 'CONSUME_PASSIVELY', messageModel: 'CLUSTERING' }
  const consumers = [{ ...consumer, consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET', subscriptionDataSet: [subscription] }]
  return JSON.stringify({ clientID: 'c1', producerDataSet: [], consumerDataSet: consumers })
}

describe('a pull by SQL92', () => {
  test('gives what the properties fulfil, and where to go on', async () => {
    const harness = await filled(4)
    const reply = await harness.ask(361, sql("TAGS IN ('t1', 't3')"))
    expect(bodies(reply)).toEqual(['m1', 'm3'])
    expect(await harness.ask(11, sql('size > 5'))).toMatchObject({ code: 20, fields: { nextBeginOffset: 4 } })
  })

  test('that is refused says at which column', async () => {
    const harness = await filled(1)
    expect((await harness.ask(11, sql('a = 1 AND'))).remark).toContain('At line 1, column 10')
  })

  test('uses the filter of the heartbeat; of one that cannot be read there is none', async () => {
    const harness = await filled(3)
    expect((await harness.ask(34, {}, heartbeat('CG', "TAGS ENDSWITH '2'"))).code).toBe(0)
    expect(bodies(await harness.ask(11, pullHeader('T', { sysFlag: 2, subVersion: 5 })))).toEqual(['m2'])
    expect((await harness.ask(34, {}, heartbeat('Bad', 'TAGS ENDSWITH'))).code).toBe(0)
    const refused = await harness.ask(11, pullHeader('T', { sysFlag: 2, subVersion: 5, consumerGroup: 'Bad' }))
    expect(refused).toMatchObject({ code: 27, remark: expect.stringContaining('Your expression may be wrong') })
  })

  test('waits on while what arrives does not match, and answers what does', async () => {
    const harness = await filled(1)
    const replies = harness.send(11, sql("TAGS = 'Z'", { queueOffset: 1 }))
    expect(harness.hold.parkedCount).toBe(1)
    await harness.ask(10, sendHeader('T'), 'no')
    expect(replies).toEqual([])
    expect(harness.hold.parkedCount).toBe(1)
    await harness.ask(10, sendHeader('T', { properties: 'TAGS\u0001Z\u0002' }), 'yes')
    expect(bodies(replies[0])).toEqual(['yes'])
    expect(replies[0]?.fields['nextBeginOffset']).toBe(3)
  })

  test('that waited in vain goes on behind what did not match', async () => {
    const harness = await filled(1)
    const replies = harness.send(11, sql("TAGS = 'Z'", { queueOffset: 1 }))
    await harness.ask(10, sendHeader('T'), 'no')
    harness.clock.advance(15_250)
    expect(replies[0]).toMatchObject({ code: 19, fields: { nextBeginOffset: 2 } })
  })

  test('is refused as RocketMQ does it where enablePropertyFilter is off', async () => {
    const harness = createHarness({ options: { enablePropertyFilter: false } })
    harness.topics.apply('create', [topicConfig('T')], { timestampMs: 1 })
    const remark = 'The broker does not support consumer to filter message by SQL92'
    expect(await harness.ask(11, sql('a = 1'))).toMatchObject({ code: 1, remark })
    expect(await harness.ask(46, {}, check('a = 1'))).toMatchObject({ code: 1, remark })
  })

  test('is asked about before: 46 says whether the filter will do', async () => {
    const harness = createHarness()
    const ask = (...given: Parameters<typeof check>) => harness.ask(46, {}, check(...given))
    expect((await ask('a = 1')).code).toBe(0)
    expect((await ask('*', 'TAG')).code).toBe(0)
    const refused = await ask('a == 1')
    expect(refused).toMatchObject({ code: 23, remark: expect.stringContaining('column 4') })
  })
})
