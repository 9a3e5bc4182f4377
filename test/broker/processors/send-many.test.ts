import { describe, expect, test } from 'vitest'
import { refusal } from '../../../src/broker/errors.ts'
import type { SlaveAnswer } from '../../../src/broker/log/slave-acks.ts'
import { topicConfig } from '../../../src/broker/tables/topics.ts'
import { decodePartAnswers, encodeSendParts, type PartAnswer, sendPartLength } from '../../../src/message/send-parts.ts'
import { RaftmqCode } from '../../../src/remoting/codes.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { createHarness, type Harness, type TestReply } from './harness.ts'

const CODE = RaftmqCode.SEND_TO_MANY_QUEUES
const HEADER = { producerGroup: 'PG', defaultTopic: 'TBW102', defaultTopicQueueNums: 4 }

function withTopics(given: Parameters<typeof createHarness>[0] = {}): Harness {
  const harness = createHarness(given)
  for (const row of [topicConfig('T'), topicConfig('U'), topicConfig('READ_ONLY', { perm: 4 })]) {
    harness.topics.apply('create', [row], { timestampMs: 1 })
  }
  return harness
}

function partsOf(...places: readonly (readonly [topic: string, queueId: number, body: string])[]): Buffer {
  const parts = places.map(([topic, queueId, body]) => ({
    queue: { queueId },
    request: {
      topic,
      bornMs: 5,
      isBatch: false,
      flag: 3,
      body: Buffer.from(body),
      properties: `UNIQ_KEY\u0001${body}\u0002`,
    },
  }))
  return encodeSendParts(
    parts,
    parts.reduce((sum, part) => sum + sendPartLength(part), 0),
  )
}

const answersOf = (reply: TestReply | undefined, count: number): PartAnswer[] =>
  decodePartAnswers(reply?.bytes ?? Buffer.alloc(0), count)

const codesOf = (reply: TestReply | undefined, count: number): number[] =>
  answersOf(reply, count).map(({ code }) => code)

describe('a send to many queues', () => {
  test('is stored part by part, each answered with its place', async () => {
    const harness = withTopics()
    const reply = await harness.ask(CODE, HEADER, partsOf(['T', 1, 'a'], ['U', 0, 'b'], ['T', 1, 'c']))
    expect(reply).toMatchObject({ code: 0, fields: { storeHost: '7F00000100002A9F' } })
    const [a, b, c] = answersOf(reply, 3)
    expect(a).toMatchObject({ code: 0, queueId: 1, queueOffset: 0, offsets: [0] })
    expect(b).toMatchObject({ code: 0, queueId: 0, queueOffset: 0 })
    expect(c).toMatchObject({ code: 0, queueId: 1, queueOffset: 1 })
    const messages = harness.log.messages('T', 1)
    expect(messages.map(({ body, flag, bornTimestampMs }) => [body.toString(), flag, bornTimestampMs])).toEqual([
      ['a', 3, 5],
      ['c', 3, 5],
    ])
    expect(messages.map(({ offset }) => [offset])).toEqual(
      [a, c].map((one) => one !== undefined && 'offsets' in one && one.offsets),
    )
    expect(harness.log.messages('U', 0)[0]?.properties.toString()).toBe('UNIQ_KEY\u0001b\u0002')
  })

  test('without parts is how a client asks whether it may send so', async () => {
    expect(await withTopics().ask(CODE, HEADER, '')).toMatchObject({ code: 0, bytes: Buffer.alloc(0) })
  })

  test('is refused part by part: what is wrong with one is not said of the others', async () => {
    const harness = withTopics({ autoCreate: false })
    const body = partsOf(['T', 0, 'a'], ['READ_ONLY', 0, 'b'], ['NONE', 0, 'c'], ['T', 99, 'd'], ['%RETRY%CG', 0, 'e'])
    const reply = await harness.ask(CODE, HEADER, body)
    expect(codesOf(reply, 5)).toEqual([0, 16, 17, 29, 13])
    expect(answersOf(reply, 5)[1]).toMatchObject({ remark: 'the topic[READ_ONLY] sending message is forbidden' })
    expect(harness.log.all()).toHaveLength(1)
  })

  test('makes topics that may be made', async () => {
    const harness = withTopics()
    const reply = await harness.ask(CODE, HEADER, partsOf(['NEW', 1, 'a'], ['T', 0, 'b'], ['NEW', 1, 'c']))
    expect(codesOf(reply, 3)).toEqual([0, 0, 0])
    expect(harness.topics.get('NEW')?.writeQueueNums).toBe(4)
    expect(harness.log.messages('NEW', 1).map(({ body }) => body.toString())).toEqual(['a', 'c'])
  })

  test('whose topic cannot be made in time leaves that part undecided, and the others as they are', async () => {
    const clock = new ManualClock()
    const never = new Promise<never>(() => {})
    const harness = withTopics({
      clock,
      proposals: (log) => ({
        checkRoom: () => undefined,
        records: (drafts, done, isEarly) => log.records(drafts, done, isEarly),
        command: () => never,
        commandWithRecords: () => never,
      }),
    })
    const replies = harness.send(CODE, HEADER, partsOf(['NEW', 1, 'a'], ['T', 0, 'b']))
    clock.advance(2_499)
    expect(replies).toHaveLength(0)
    clock.advance(1)
    expect(codesOf(replies[0], 2)).toEqual([1, 0])
    expect(answersOf(replies[0], 2)[0]).toMatchObject({ remark: expect.stringMatching(/^UNKNOWN/) })
  })

  test.each([
    ['held', 0],
    ['unavailable', 11],
    ['late', 12],
  ] as const)('to a SYNC_MASTER whose slaves’ answer is %s is answered %i', async (answer, code) => {
    const slaveAcks = { confirm: (_index: number, done: (answer: SlaveAnswer) => void): void => done(answer) }
    const reply = await withTopics({ slaveAcks }).ask(CODE, HEADER, partsOf(['T', 0, 'a'], ['U', 0, 'b']))
    expect(codesOf(reply, 2)).toEqual([code, code])
  })

  test.each([
    ['BROKER_NOT_LEADER', 14],
    ['BROKER_BUSY', 2],
    ['BROKER_UNDECIDED', 1],
  ] as const)('that all fails as %s is answered so as a whole', async (error, code) => {
    const harness = withTopics()
    harness.log.failure = refusal(error, 'no')
    expect((await harness.ask(CODE, HEADER, partsOf(['T', 0, 'a'], ['U', 0, 'b']))).code).toBe(code)
  })

  test('that come while the log is full are refused as a whole, before any is looked at', async () => {
    const harness = withTopics()
    harness.log.full = refusal('BROKER_BUSY', 'full')
    expect((await harness.ask(CODE, HEADER, partsOf(['READ_ONLY', 0, 'a'], ['T', 0, 'b']))).code).toBe(2)
  })

  test('of which a part was refused before the rest failed says both', async () => {
    const harness = withTopics()
    harness.log.failure = refusal('BROKER_BUSY', 'no')
    const reply = await harness.ask(CODE, HEADER, partsOf(['READ_ONLY', 0, 'a'], ['T', 0, 'b']))
    expect(codesOf(reply, 2)).toEqual([16, 2])
  })

  test('counts as one where sends wait for the log', async () => {
    const harness = withTopics({ maxSends: 1 })
    harness.log.isHolding = true
    const first = harness.send(CODE, HEADER, partsOf(['T', 0, 'a'], ['U', 0, 'b']))
    const second = harness.send(CODE, HEADER, partsOf(['T', 0, 'c'], ['U', 0, 'd']))
    expect(second[0]?.code).toBe(2)
    harness.log.release()
    expect(codesOf(first[0], 2)).toEqual([0, 0])
  })
})

describe('a send to many queues that cannot be read', () => {
  const whole = partsOf(['T', 0, 'a'], ['T', 0, 'b'])
  test.each([
    ['that ends in the middle', whole.subarray(0, -1)],
    ['of noise', Buffer.from('no parts at all')],
    ['whose first size is enormous', Buffer.concat([Buffer.of(0x7f, 0xff, 0xff, 0xff), whole.subarray(4)])],
    ['that is longer than a message may be', Buffer.alloc(4_194_305)],
  ])('%s is MESSAGE_ILLEGAL as a whole, and nothing is stored', async (_what, body) => {
    const harness = withTopics()
    expect((await harness.ask(CODE, HEADER, body)).code).toBe(13)
    expect(harness.log.all()).toHaveLength(0)
  })

  test('in one of its messages is MESSAGE_ILLEGAL for that part', async () => {
    const harness = withTopics()
    const parts = Buffer.concat([partsOf(['T', 0, 'a']), partsOf(['T', 0, 'b'])])
    // The body of the second message says that it is longer than it is.
    parts.writeInt32BE(1_000, parts.length / 2 + 18 + 1 + 16)
    expect(codesOf(await harness.ask(CODE, HEADER, parts), 2)).toEqual([0, 13])
    expect(harness.log.messages('T', 0).map(({ body }) => body.toString())).toEqual(['a'])
  })
})
