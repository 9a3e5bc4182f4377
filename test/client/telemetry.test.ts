import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, test } from 'vitest'
import { Producer, PullConsumer, PushConsumer, TransactionProducer } from '../../src/client/index.ts'
import type { OpenTelemetry } from '../../src/client/index.ts'
import { startCluster } from '../../src/index.ts'
import { deferred } from '../../src/lib/deferred.ts'
import { FakeCluster } from '../support/fake-broker.ts'
import { takeParts } from '../support/fake-parts.ts'
import { until } from '../support/until.ts'
import { opened } from '../support/open.ts'

interface Span {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentId: string | undefined
  error: string | undefined
  isEnded: boolean
}

/** A program's OpenTelemetry with a W3C propagator, as small as can be. Contexts are spans. */
function telemetry(): { api: OpenTelemetry; spans: Span[]; active: () => Span | undefined } {
  const spans: Span[] = []
  const store = new AsyncLocalStorage<unknown>()
  const spanOf = (context: unknown): Span | undefined => spans.find((span) => span === context)
  const remote = new Map<string, Pick<Span, 'traceId' | 'spanId'>>()
  const api: OpenTelemetry = {
    context: { active: () => store.getStore(), with: (context, run) => store.run(context, run) },
    propagation: {
      inject(context, carrier) {
        const span = spanOf(context)
        if (span !== undefined) carrier['traceparent'] = `00-${span.traceId}-${span.spanId}-01`
      },
      extract(_context, carrier) {
        const [, traceId, spanId] = carrier['traceparent']?.split('-') ?? []
        if (traceId === undefined || spanId === undefined) return undefined
        const key = `${traceId} ${spanId}`
        remote.set(key, { traceId, spanId })
        return key
      },
    },
    trace: {
      getTracer: () => ({
        startSpan(name, options, parent) {
          const of = spanOf(parent) ?? (typeof parent === 'string' ? remote.get(parent) : undefined)
          const n = spans.length + 1
          const span: Span = {
            name,
            kind: 'kind' in options ? Number(options.kind) : -1,
            traceId: of?.traceId ?? `${n}`.padStart(32, '0'),
            spanId: `${n}`.padStart(16, '0'),
            parentId: of?.spanId,
            error: undefined,
            isEnded: false,
          }
          spans.push(span)
          return Object.assign(span, {
            setAttribute: () => undefined,
            setStatus: () => undefined,
            recordException: (error: Error) => (span.error = error.message),
            end: () => (span.isEnded = true),
          })
        },
      }),
      setSpan: (_context, span) => span,
    },
    SpanKind: { PRODUCER: 3, CONSUMER: 4, CLIENT: 2 },
    SpanStatusCode: { ERROR: 2 },
  }
  return { api, spans, active: () => spanOf(store.getStore()) }
}

async function started(
  api: OpenTelemetry | false,
): Promise<{ fake: FakeCluster; producer: Producer; consumer: PushConsumer }> {
  const fake = opened(await FakeCluster.start())
  fake.createTopic('T', 1)
  const options = { namesrv: fake.namesrv, openTelemetry: api }
  const producer = new Producer(options)
  const consumer = new PushConsumer({ ...options, group: 'G', from: 'first', ordered: true, retryPauseMs: 10 })
  opened(producer)
  opened(consumer)
  await producer.start()
  return { fake, producer, consumer }
}

describe('OpenTelemetry', () => {
  test('has the trace of a send go on in the handler, over the property traceparent', async () => {
    const { api, spans, active } = telemetry()
    const { producer, consumer } = await started(api)
    await producer.send({ topic: 'T', body: 'hello', properties: { own: 'x' } })
    const seen: [string | undefined, string | undefined, Span | undefined][] = []
    await consumer.subscribe('T').run(async (message) => {
      await Promise.resolve()
      seen.push([message.property('traceparent'), message.property('own'), active()])
    })
    await until('the message', () => seen.length === 1)
    expect(seen[0]?.slice(0, 2)).toEqual([`00-${'1'.padStart(32, '0')}-${'1'.padStart(16, '0')}-01`, 'x'])
    expect(seen[0]?.[2]).toBe(spans[1])
    expect(spans).toMatchObject([
      { name: 'send T', kind: 3, parentId: undefined, isEnded: true, error: undefined },
      { name: 'process T', kind: 4, parentId: spans[0]?.spanId, traceId: spans[0]?.traceId },
    ])
  })

  test('waits for a handler whose promise is not one of the language, before its message counts as handled', async () => {
    const { api, spans } = telemetry()
    const { fake, consumer } = await started(api)
    fake.put('T', 0, 'x')
    const answer = deferred<undefined>()
    let calls = 0
    await consumer.subscribe('T').run(() => {
      calls++
      // oxlint-disable-next-line unicorn/no-thenable -- as the queries of some libraries are
      return { then: answer.promise.then.bind(answer.promise) }
    })
    await until('the handler runs', () => calls === 1)
    expect(spans.map(({ isEnded }) => isEnded)).toEqual([false])
    answer.resolve(undefined)
    await until('the message counts as handled', () => spans[0]?.isEnded === true)
    expect(spans).toHaveLength(1)
  })

  test('marks handlers and sends that fail', async () => {
    const { api, spans } = telemetry()
    const { fake, producer, consumer } = await started(api)
    await expect(producer.send({ topic: 'T', body: '' })).rejects.toThrow('the body is empty')
    fake.put('T', 0, 'x')
    let failures = 1
    await consumer.subscribe('T').run(() => {
      if (failures-- > 0) throw new Error('not yet')
    })
    await until('both tries', () => spans.length === 3 && spans.every(({ isEnded }) => isEnded))
    expect(spans.map(({ name, error, parentId }) => [name, error, parentId])).toEqual([
      ['send T', 'the body is empty', undefined],
      ['process T', 'not yet', undefined],
      ['process T', undefined, undefined],
    ])
  })

  test('has a span for each message that an iteration gives, until the next is asked for', async () => {
    const { api, spans, active } = telemetry()
    const { producer, consumer } = await started(api)
    for (const body of ['a', 'b']) await producer.send({ topic: 'T', body })
    const open: unknown[] = []
    for await (const message of consumer.subscribe('T')) {
      const span = consumer.within(message, active)
      open.push([span?.name, span?.parentId, spans.filter(({ isEnded }) => !isEnded).length])
      if (open.length === 2) break
    }
    expect(open).toEqual([
      ['process T', spans[0]?.spanId, 1],
      ['process T', spans[1]?.spanId, 1],
    ])
    expect(spans.slice(2)).toMatchObject([
      { isEnded: true, error: undefined },
      // The loop was left: the message comes again.
      { isEnded: true, error: 'the message was given back' },
    ])
  })

  test('has a span for each message of a poll, until it is settled or given back', async () => {
    const { api, spans, active } = telemetry()
    const { fake, producer } = await started(api)
    for (const body of ['a', 'b']) await producer.send({ topic: 'T', body })
    const options = { namesrv: fake.namesrv, openTelemetry: api, group: 'P', from: 'first' } as const
    const consumer = new PullConsumer(options).subscribe('T')
    const polled = await consumer.poll()
    expect(polled.map((message) => consumer.within(message, active)?.parentId)).toEqual([
      spans[0]?.spanId,
      spans[1]?.spanId,
    ])
    expect(active()).toBeUndefined()
    await consumer.commit()
    expect(spans.map(({ isEnded }) => isEnded)).toEqual([true, true, true, true])
    const [first] = polled
    if (first === undefined) throw new Error('nothing was polled')
    expect(consumer.within(first, active)).toBeUndefined()
    await consumer.seekToBegin(first)
    await consumer.poll()
    await consumer.seekToBegin(first)
    await consumer.close()
    expect(spans.slice(4).map(({ error }) => error)).toEqual(Array(2).fill('the message was given back'))
  })

  test('has a span for each message of a request for many queues, and each carries its own', async () => {
    const { api, spans } = telemetry()
    const { fake, producer } = await started(api)
    fake.createTopic('U', 1)
    const cameMany = takeParts(fake)
    const topics = ['T', 'U']
    for (let turn = 0; turn < 3; turn++) {
      await Promise.all(topics.map((topic) => producer.send({ topic, body: `${turn}` })))
    }
    expect(cameMany()).toBe(true)
    expect(spans.map(({ name, isEnded, error }) => [name, isEnded, error])).toEqual(
      [0, 1, 2].flatMap(() => topics.map((topic) => [`send ${topic}`, true, undefined])),
    )
    for (const [at, topic] of topics.entries()) {
      expect(fake.drafts(topic).map(({ properties }) => /-(\d{16})-/.exec(properties.toString())?.[1])).toEqual(
        [0, 2, 4].map((n) => spans[n + at]?.spanId),
      )
    }
  })

  test('has spans for the ends of transactions and for recalls', { timeout: 30_000 }, async () => {
    const { api, spans } = telemetry()
    const cluster = await startCluster({ nodes: 1 })
    opened(cluster)
    const options = { namesrv: cluster.namesrv, openTelemetry: api }
    const transactions = new TransactionProducer({ ...options, group: 'TX', check: () => 'unknown' })
    const producer = new Producer(options)
    opened(transactions)
    opened(producer)
    await Promise.all([transactions.start(), producer.start()])
    await transactions.send({ topic: 'T', body: 'a' }, () => 'commit')
    await transactions.send({ topic: 'T', body: 'b' }, () => 'rollback')
    await transactions.send({ topic: 'T', body: 'c' }, () => 'unknown')
    const { recallHandle = '' } = await producer.send({ topic: 'T', body: 'd', delayMs: 60_000 })
    await producer.recall({ topic: 'T', recallHandle })
    await expect(producer.recall({ topic: 'T', recallHandle: 'none' })).rejects.toThrow('no recall handle')
    expect(spans.map(({ name, kind, error, isEnded }) => [name, kind, error, isEnded])).toEqual([
      ['send T', 3, undefined, true],
      ['commit T', 2, undefined, true],
      ['send T', 3, undefined, true],
      ['rollback T', 2, undefined, true],
      ['send T', 3, undefined, true],
      ['send T', 3, undefined, true],
      ['recall T', 2, undefined, true],
      ['recall T', 2, 'no recall handle: none', true],
    ])
  })

  test('adds nothing to messages where there is none', async () => {
    const { fake, producer } = await started(false)
    await producer.send({ topic: 'T', body: 'hello' })
    expect(fake.drafts('T')[0]?.properties.toString()).not.toContain('traceparent')
  })

  test('is refused when it is something else', () => {
    // @ts-expect-error -- a program without types may give anything
    expect(() => new Producer({ namesrv: 'a:1', openTelemetry: {} })).toThrow(
      'openTelemetry: that is not @opentelemetry/api',
    )
  })
})
