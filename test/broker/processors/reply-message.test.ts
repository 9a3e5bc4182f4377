import { describe, expect, test } from 'vitest'
import { parseProperties } from '../../../src/message/properties.ts'
import { RemotingCommand } from '../../../src/remoting/command.ts'
import { noFields } from '../../../src/remoting/fields.ts'
import { createHarness, FakeOrigin, type Harness, sendHeader, type TestReply } from './harness.ts'

const REPLY_TOPIC = 'DefaultCluster_REPLY_TOPIC'

/** A producer that waits for replies and answers pushes with `code`. */
async function requester(harness: Harness, clientID: string, code = 0): Promise<FakeOrigin> {
  const origin = new FakeOrigin()
  origin.answer = new RemotingCommand({
    form: 0,
    code,
    language: 0,
    version: 479,
    opaque: 1,
    flag: 1,
    remark: undefined,
    fields: noFields,
    body: Buffer.alloc(0),
  })
  const body = { clientID, producerDataSet: [{ groupName: 'PG' }], consumerDataSet: [] }
  await harness.ask(34, {}, JSON.stringify(body), { origin })
  return origin
}

function reply(harness: Harness, properties: Readonly<Record<string, string>>, given = {}): Promise<TestReply> {
  const text = Object.entries(properties)
    .map(([name, value]) => `${name}\u0001${value}\u0002`)
    .join('')
  return harness.ask(324, sendHeader(REPLY_TOPIC, { properties: text, ...given }), 'the reply')
}

describe('a reply', () => {
  test('is pushed to the client that asked, with what it came with, and stored', async () => {
    const harness = createHarness()
    const origin = await requester(harness, 'asker')
    const answer = await reply(harness, { REPLY_TO_CLIENT: 'asker', CORRELATION_ID: 'c1', TTL: '3000' }, { flag: 7 })
    expect(answer).toMatchObject({ code: 0, fields: { queueId: 0, queueOffset: 0, MSG_REGION: 'DefaultRegion' } })
    const [pushed] = origin.received
    expect(pushed).toMatchObject({ code: 326, header: { topic: REPLY_TOPIC, flag: 7, bornHost: '10.0.0.7:40001' } })
    const properties = parseProperties(String(pushed?.header?.['properties']))
    expect(Object.fromEntries(properties)).toMatchObject({ CORRELATION_ID: 'c1', TTL: '3000' })
    expect(properties.has('PUSH_REPLY_TIME')).toBe(true)
    expect(String(pushed?.body)).toBe('the reply')
    expect(harness.log.messages(REPLY_TOPIC, 0).map(({ body }) => body.toString())).toEqual(['the reply'])
  })

  test('is only pushed where storeReplyMessageEnable is off', async () => {
    const harness = createHarness({ options: { storeReplyMessageEnable: false } })
    await requester(harness, 'asker')
    expect(await reply(harness, { REPLY_TO_CLIENT: 'asker' })).toMatchObject({ code: 0, fields: { msgId: '0' } })
    expect(harness.log.messages(REPLY_TOPIC, 0)).toEqual([])
  })

  test('that is pushed but cannot be stored has arrived', async () => {
    const harness = createHarness()
    await requester(harness, 'asker')
    harness.log.failure = new Error('no quorum')
    expect(await reply(harness, { REPLY_TO_CLIENT: 'asker' })).toMatchObject({ code: 0, fields: { msgId: '0' } })
  })

  test.each([
    ['for nobody', {}, 'reply message properties[REPLY_TO_CLIENT] is null'],
    ['for a client that is gone', { REPLY_TO_CLIENT: 'gone' }, 'channel of <gone> not found'],
    ['that the client refuses', { REPLY_TO_CLIENT: 'refuser' }, 'push reply message to refuserfail.'],
  ])('%s is SYSTEM_ERROR, and stored', async (_what, properties, remark) => {
    const harness = createHarness()
    await requester(harness, 'refuser', 1)
    expect(await reply(harness, properties)).toMatchObject({ code: 1, remark: expect.stringContaining(remark) })
    expect(harness.log.messages(REPLY_TOPIC, 0)).toHaveLength(1)
  })

  test('goes where its client is still connected after another of its connections closed', async () => {
    const harness = createHarness()
    const first = await requester(harness, 'asker')
    const second = await requester(harness, 'asker')
    second.close()
    expect((await reply(harness, { REPLY_TO_CLIENT: 'asker' })).code).toBe(0)
    expect(first.received).toHaveLength(1)
    first.close()
    expect((await reply(harness, { REPLY_TO_CLIENT: 'asker' })).code).toBe(1)
  })

  test.each([
    ['too large', {}, 'x'.repeat(4_194_305), 13],
    ['for a queue that is none', { queueId: 9 }, 'x', 29],
    ['for a topic that cannot be', { topic: 'a b' }, 'x', 29],
    ['for a topic that may not be sent to', { topic: 'SCHEDULE_TOPIC_XXXX' }, 'x', 16],
  ])('%s is refused and not pushed', async (_what, given, body, code) => {
    const harness = createHarness()
    const origin = await requester(harness, 'asker')
    const header = sendHeader(REPLY_TOPIC, { properties: 'REPLY_TO_CLIENT\u0001asker\u0002', ...given })
    expect((await harness.ask(324, header, body)).code).toBe(code)
    expect(origin.received).toEqual([])
    expect(harness.admission.count).toBe(0)
  })
})
