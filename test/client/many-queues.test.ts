/** What one turn sends to many queues leaves as one request (700_021), where the broker knows it. */
import { expect, test } from 'vitest'
import { Producer } from '../../src/client/producer/producer.ts'
import type { ProducerOptions } from '../../src/client/producer/producer-options.ts'
import type { SendPart } from '../../src/message/send-parts.ts'
import { RaftmqCode, RequestCode } from '../../src/remoting/codes.ts'
import type { Call, Reply } from '../../src/remoting/route.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { storeParts } from '../support/fake-parts.ts'
import { opened } from '../support/open.ts'

const MANY = RaftmqCode.SEND_TO_MANY_QUEUES
const { SEND_MESSAGE_V2: ONE, SEND_BATCH_MESSAGE: BATCH } = RequestCode
const TOPICS = ['T', 'U', 'V', 'W']

async function cluster(): Promise<FakeCluster> {
  const fake = opened(await FakeCluster.start())
  for (const topic of TOPICS) fake.createTopic(topic, 1)
  return fake
}

/** A producer that has sent to each topic, and whose broker was asked whether it takes requests of many parts. */
async function producerOf(fake: FakeCluster, options: Partial<ProducerOptions> = {}): Promise<Producer> {
  const producer = new Producer({ namesrv: fake.namesrv, group: 'P', ...options })
  await producer.start()
  opened({ close: () => producer.close({ signal: AbortSignal.abort() }) })
  for (let turn = 0; turn < 2; turn++) await sendAll(producer, `warm ${turn}`)
  fake.requests.length = 0
  return producer
}

function sendAll(producer: Producer, body: string): Promise<unknown> {
  return Promise.all(TOPICS.map((topic) => producer.send({ topic, body })))
}

/** Takes requests of many parts; `answer` gives another answer than storing them. */
function takes(
  fake: FakeCluster,
  answer: (call: Call) => Reply | 'silence' | 'cut' | undefined = () => undefined,
): void {
  fake.fault = (call) => (call.code === MANY ? (answer(call) ?? storeParts(fake, call)) : undefined)
}

const SENDS: readonly number[] = [MANY, ONE, BATCH]
const sends = (fake: FakeCluster): number[] => fake.requests.filter((code) => SENDS.includes(code))

test('what one turn sends to many topics leaves as one request, with a result for each message', async () => {
  const fake = await cluster()
  takes(fake)
  const producer = await producerOf(fake)
  const results = await Promise.all(
    ['T', 'U', 'T', 'V'].map((topic, n) => producer.send({ topic, body: `b${n}`, tag: 'A' })),
  )
  expect(sends(fake)).toEqual([MANY])
  expect(results.map(({ queue, queueOffset, status }) => [queue.topic, queueOffset, status])).toEqual([
    ['T', 2, 'SEND_OK'],
    ['U', 2, 'SEND_OK'],
    ['T', 3, 'SEND_OK'],
    ['V', 2, 'SEND_OK'],
  ])
  expect(fake.bodies('T').slice(2)).toEqual(['b0', 'b2'])
  for (const { offsetMessageId, messageId } of results) {
    const draft = fake.draftAt(Number.parseInt(offsetMessageId.slice(-16), 16))
    expect(draft?.properties.toString()).toBe(`UNIQ_KEY\u0001${messageId}\u0002TAGS\u0001A\u0002`)
  }
})

test('a broker that does not know it is sent to one by one, and asked once for each connection', async () => {
  const fake = await cluster()
  const producer = new Producer({ namesrv: fake.namesrv })
  await producer.start()
  opened({ close: () => producer.close({ signal: AbortSignal.abort() }) })
  for (let turn = 0; turn < 4; turn++) await sendAll(producer, `${turn}`)
  expect(fake.requests.filter((code) => code === MANY)).toHaveLength(1)
  expect(fake.requests.filter((code) => code === ONE)).toHaveLength(16)
  // Another broker may be behind the address the next time.
  let isCut = false
  fake.fault = (call) => {
    if (call.code === MANY) return storeParts(fake, call)
    if (call.code !== ONE || isCut) return undefined
    isCut = true
    return 'cut'
  }
  for (let turn = 0; turn < 4; turn++) await sendAll(producer, `again ${turn}`)
  expect(fake.requests.at(-1)).toBe(MANY)
})

test('a producer that wants no batches never does it, nor does a message that is alone', async () => {
  const fake = await cluster()
  takes(fake)
  const plain = await producerOf(fake, { batch: false })
  await sendAll(plain, 'x')
  expect(sends(fake)).toEqual([ONE, ONE, ONE, ONE])
  const producer = await producerOf(fake)
  await producer.send({ topic: 'T', body: 'alone' })
  expect(sends(fake)).toEqual([ONE])
})

test('a part that is refused fails by itself', async () => {
  const fake = await cluster()
  const producer = await (takes(fake), producerOf(fake, { retries: 0 }))
  takes(fake, (call) =>
    storeParts(fake, call, ({ topic }) => (topic === 'U' ? { code: 16, remark: 'not this one' } : undefined)),
  )
  const settled = await Promise.allSettled(TOPICS.map((topic) => producer.send({ topic, body: 'x' })))
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
  expect(settled[1]).toMatchObject({
    reason: { code: 'CLIENT_REFUSED', message: expect.stringContaining('not this one') },
  })
})

test('a part whose broker is busy is sent again by itself, the others once', async () => {
  const fake = await cluster()
  takes(fake)
  const producer = await producerOf(fake)
  let refusals = 1
  const refuse = ({ topic }: SendPart) => (topic === 'V' && refusals-- > 0 ? { code: 2, remark: 'busy' } : undefined)
  takes(fake, (call) => storeParts(fake, call, refuse))
  await sendAll(producer, 'x')
  for (const topic of TOPICS) expect(fake.bodies(topic).filter((body) => body === 'x')).toHaveLength(1)
})

test.each([
  ['busy', 2],
  ['no longer the leader', 14],
])('a request whose broker is %s was not stored, and is sent again', async (_what, code) => {
  const fake = await cluster()
  takes(fake)
  const producer = await producerOf(fake)
  let refusals = 1
  takes(fake, () => (refusals-- > 0 ? { code, remark: 'no' } : undefined))
  const results = await Promise.all(TOPICS.map((topic) => producer.send({ topic, body: 'x' })))
  expect(results.every(({ mayBeTwice }) => !mayBeTwice)).toBe(true)
  for (const topic of TOPICS) expect(fake.bodies(topic).filter((body) => body === 'x')).toHaveLength(1)
})

test.each([
  ['is lost', 'cut'],
  ['cannot be read', { code: 0, header: { storeHost: '7F00000100002A9F' }, body: Buffer.from('noise') }],
  ['names no host', { code: 0 }],
] as const)('a request whose answer %s leaves every message undecided', async (_what, answer) => {
  const fake = await cluster()
  takes(fake)
  const producer = await producerOf(fake, { retryUndecided: false })
  takes(fake, () => answer)
  for (const sent of await Promise.allSettled(TOPICS.map((topic) => producer.send({ topic, body: 'x' })))) {
    expect(sent).toMatchObject({ reason: { code: 'CLIENT_UNDECIDED' } })
  }
})

test('a broker that knew it and knows it no more is sent to one by one, each message once', async () => {
  const fake = await cluster()
  takes(fake)
  const producer = await producerOf(fake)
  fake.fault = undefined
  await sendAll(producer, 'x')
  await sendAll(producer, 'y')
  expect(sends(fake)).toEqual([MANY, ...Array<number>(8).fill(ONE)])
  for (const topic of TOPICS) expect(fake.bodies(topic).slice(2)).toEqual(['x', 'y'])
})

test('what is sent to one queue stays in order, whatever leaves by itself', async () => {
  const fake = await cluster()
  takes(fake)
  const producer = await producerOf(fake)
  const messages = [
    { topic: 'T', body: '0' },
    { topic: 'U', body: 'u' },
    { topic: 'T', body: '1' },
    { topic: 'T', body: '2', properties: { WAIT: 'false' } },
    { topic: 'T', body: '3' },
    { topic: 'V', body: 'v' },
  ]
  await Promise.all([
    ...messages.map((message) => producer.send(message)),
    producer.sendOneway({ topic: 'T', body: '4' }),
  ])
  await expect.poll(() => fake.bodies('T').slice(2)).toEqual(['0', '1', '2', '3', '4'])
  expect(sends(fake)).toContain(MANY)
})

test('a request of many parts is no larger than a batch may be', async () => {
  const fake = await cluster()
  const sizes: number[] = []
  takes(fake, (call) => void sizes.push(call.body.length))
  const producer = await producerOf(fake, { batch: { maxBytes: 2_000 } })
  sizes.length = 0
  await sendAll(producer, 'x'.repeat(600))
  expect(sizes.length).toBeGreaterThan(1)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(2_000)
})
