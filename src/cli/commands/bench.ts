import type { Command } from 'commander'
import { Producer } from '../../client/producer/producer.ts'
import { PushConsumer } from '../../client/consumer/push-consumer.ts'
import { sleep } from '../../lib/clock.ts'
import { ConsumeLoad } from '../../load/consume-load.ts'
import type { ConsumeReport } from '../../load/consume-load.ts'
import type { LatencySummary } from '../../load/latency.ts'
import { SendLoad } from '../../load/send-load.ts'
import type { SendReport } from '../../load/send-load.ts'
import { integerArgument } from '../arguments.ts'
import { findTopic, jsonOption, namesrvOption, note, positive, print, processIo } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface BenchFlags {
  readonly namesrv: string
  readonly topic: string
  readonly connections: number
  readonly seconds: number
  readonly json?: boolean
}

interface SendFlags extends BenchFlags {
  readonly size: number
  readonly inFlight: number
  readonly rate?: number
}

interface ConsumeFlags extends BenchFlags {
  readonly group?: string
}

const TOPIC = 'RaftmqBench'
/** A consume bench ends when nothing came for so long after the first message: it is at the end of the topic. */
const CAUGHT_UP_MS = 2_000

export function register(program: Command, io: ClientIo = processIo()): void {
  const bench = program
    .command('bench')
    .summary('measure sends or deliveries')
    .description('Measures the cluster from here.')
  bench
    .command('send')
    .description('send as fast as the cluster takes it, or at a fixed rate, and measure acknowledgements')
    .addOption(namesrvOption())
    .option('-t, --topic <topic>', 'topic', TOPIC)
    .option('--size <bytes>', 'size of a body', integerArgument(1, 4 * 1_024 * 1_024), 128)
    .option('--connections <n>', 'connections', integerArgument(1, 1_000), 1)
    .option('--in-flight <n>', 'messages in flight per connection', integerArgument(1, 100_000), 2_048)
    .option('--rate <n>', 'messages per second altogether, timed from when each is due', positive)
    .option('--seconds <s>', 'how long', positive, 10)
    .addOption(jsonOption())
    .action((flags: SendFlags) => benchSend(flags, io))
  bench
    .command('consume')
    .description('consume a topic from its start and measure deliveries')
    .addOption(namesrvOption())
    .option('-t, --topic <topic>', 'topic', TOPIC)
    .option('-g, --group <group>', 'consumer group; without it a new one')
    .option('--connections <n>', 'consumers, each with connections of its own', integerArgument(1, 1_000), 1)
    .option('--seconds <s>', 'how long at most; ends earlier at the end of the topic', positive, 30)
    .addOption(jsonOption())
    .action((flags: ConsumeFlags) => benchConsume(flags, io))
}

async function benchSend(flags: SendFlags, io: ClientIo): Promise<void> {
  const { namesrv, topic, size, connections, inFlight, rate, seconds, json = false } = flags
  const { clock } = io
  await findTopic(flags, io)
  const producers = Array.from(
    { length: connections },
    () =>
      new Producer({
        namesrv,
        group: 'raftmq_bench',
        maxInFlight: inFlight,
        compressOverBytes: Number.POSITIVE_INFINITY,
        clock,
      }),
  )
  const body = Buffer.alloc(size, 0x61)
  const message = { topic, body }
  try {
    // The first send of each makes its connection and, if need be, the topic: that is not measured.
    for (const producer of producers) {
      await producer.start()
      await producer.send(message)
    }
    const interrupted = io.interrupted()
    const load = new SendLoad({ clock, producers, inFlight, ratePerSecond: rate, message: () => message })
    let before = 0
    const progress = clock.every(1_000, () => {
      const { acknowledged, failed, undecided, latencyMs, seconds: since } = load.report()
      const trouble = failed + undecided > 0 ? `, ${failed} failed, ${undecided} undecided` : ''
      note(
        io,
        `${since.toFixed(0).padStart(4)} s  ${thousands(acknowledged - before)}/s, p99 ${ms(latencyMs.p99)}${trouble}`,
      )
      before = acknowledged
    })
    await sleep(clock, seconds * 1_000, interrupted).catch(() => undefined)
    const report = load.report()
    progress.cancel()
    await load.stop()
    await print(
      io,
      json ? `${JSON.stringify({ topic, size, connections, inFlight, ...rounded(report) })}\n` : sendText(report),
    )
  } finally {
    await Promise.all(producers.map((producer) => producer.close()))
  }
}

async function benchConsume(flags: ConsumeFlags, io: ClientIo): Promise<void> {
  const { namesrv, topic, connections, seconds, json = false } = flags
  const { clock } = io
  if ((await findTopic(flags, io)) === undefined) throw new Error(`the topic ${topic} does not exist`)
  const group = flags.group ?? `raftmq_bench_${clock.nowMs().toString(36)}`
  const consumers = Array.from({ length: connections }, () =>
    new PushConsumer({ namesrv, group, from: 'first', pullBatch: 1_024, clock }).subscribe(topic),
  )
  const load = new ConsumeLoad({ clock, consumers })
  try {
    const interrupted = io.interrupted()
    await load.start()
    const endMs = clock.monotonicMs() + seconds * 1_000
    let before = 0
    let nextMs = clock.monotonicMs() + 1_000
    while (clock.monotonicMs() < endMs && load.silentMs < CAUGHT_UP_MS && !interrupted.aborted) {
      await sleep(clock, 50, interrupted).catch(() => undefined)
      if (clock.monotonicMs() < nextMs) continue
      nextMs += 1_000
      note(io, `${thousands(load.messages - before)}/s, ${thousands(load.messages)} messages`)
      before = load.messages
    }
    const report = load.report()
    await print(
      io,
      json ? `${JSON.stringify({ topic, group, connections, ...rounded(report) })}\n` : consumeText(report),
    )
  } finally {
    await Promise.all(consumers.map((consumer) => consumer.close()))
  }
}

function sendText(report: SendReport): string {
  const { acksPerSecond, acknowledged, failed, undecided, longestGapMs, errors } = report
  const trouble = Object.entries(errors).map(([code, count]) => `  ${code}: ${count}\n`)
  return [
    `${thousands(acksPerSecond)} acknowledged/s (${thousands(acknowledged)} in ${report.seconds.toFixed(1)} s)\n`,
    `latency ${latencyText(report.latencyMs)}; longest gap ${ms(longestGapMs)}\n`,
    ...(failed + undecided > 0 ? [`${failed} failed, ${undecided} undecided\n`, ...trouble] : []),
  ].join('')
}

function consumeText(report: ConsumeReport): string {
  const { messagesPerSecond, messages, bytes, latencyMs } = report
  const rate = `${thousands(messagesPerSecond)} messages/s, ${(bytes / 1e6 / (report.seconds || 1)).toFixed(1)} MB/s`
  const live = latencyMs.max > 0 ? `latency from store to handler ${latencyText(latencyMs)}\n` : ''
  return `${rate} (${thousands(messages)} in ${report.seconds.toFixed(1)} s)\n${live}`
}

function latencyText({ p50, p99, p999, max }: LatencySummary): string {
  return `p50 ${ms(p50)}, p99 ${ms(p99)}, p99.9 ${ms(p999)}, max ${ms(max)}`
}

function rounded(report: SendReport | ConsumeReport): object {
  return Object.fromEntries(
    Object.entries(report).map(([name, value]) => [
      name,
      typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value,
    ]),
  )
}

function ms(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`
}

function thousands(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
