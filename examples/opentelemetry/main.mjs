// One trace from an order, over the message, to what its handler does, with the OpenTelemetry that a program has anyway.
// npm start; in this folder: npm install && npm start [namesrv]
import process from 'node:process'
import { SpanKind, trace } from '@opentelemetry/api'
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node'
import { Producer, PullConsumer, PushConsumer } from 'raftmq/client'

// A program would export to its collector.
const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
provider.register()
const tracer = trace.getTracer('example')

const namesrv = process.argv[2] ?? '127.0.0.1:9876'
const topic = 'ExampleTracedOrders'

const producer = new Producer({ namesrv, group: 'example-shop' })
await producer.start()
await tracer.startActiveSpan('order', async (span) => {
  await producer.send({ topic, body: 'one loaf', keys: 'order-1' })
  span.end()
})

// A handler runs inside the span of its message: whatever it begins is a child of it.
const consumer = new PushConsumer({ namesrv, group: 'example-bakery', from: 'first' }).subscribe(topic)
let finish
const finished = new Promise((resolve) => (finish = resolve))
await consumer.run(() => {
  tracer.startActiveSpan('bake', (span) => span.end())
  finish()
})
await finished
await consumer.close()

// Who takes messages at a pace of its own says what belongs to which.
const auditor = new PullConsumer({ namesrv, group: 'example-audit', from: 'first' }).subscribe(topic)
let messages = []
while (messages.length === 0) messages = await auditor.poll()
for (const message of messages) {
  auditor.within(message, () => tracer.startActiveSpan('audit', (span) => span.end()))
}
await auditor.commit()
await auditor.close()
await producer.close()

const spans = exporter.getFinishedSpans()
const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
for (const { name, kind, parentSpanContext: parent } of spans) {
  console.log(
    `${name} (${SpanKind[kind].toLowerCase()})${parent === undefined ? '' : ` in ${names.get(parent.spanId)}`}`,
  )
}
console.log(`traces: ${new Set(spans.map((span) => span.spanContext().traceId)).size}`)
