import type { Command } from 'commander'
import { AdminConnection } from '../../client/admin/connection.ts'
import { compareQueues } from '../../client/core/message-queue.ts'
import type { MessageQueue } from '../../client/core/message-queue.ts'
import { Producer } from '../../client/producer/producer.ts'
import { errorMessage } from '../../lib/errors.ts'
import { integerArgument } from '../arguments.ts'
import { jsonOption, namesrvOption, note, print, processIo, table, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ProbeFlags {
  readonly namesrv: string
  readonly topic?: string
  readonly broker?: string
  readonly cluster?: string
  readonly count: number
  readonly size: number
  readonly json?: boolean
}

interface Attempt {
  readonly broker: string
  readonly topic: string
  readonly queueId: number
  readonly isStored: boolean
  readonly milliseconds: number
  readonly error: string | null
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('probe')
    .summary('send messages and say how long each took: to a topic, or to every broker group')
    .description(
      'Sends messages one after the other and says how long each took: to the queues of --topic in turn, or without it to ' +
        'the topic that every broker group has under its own name, which nobody consumes. Exit code 1 when one was not ' +
        'stored: with --count 1 it is a health check.',
    )
    .addOption(namesrvOption())
    .option('-t, --topic <topic>', 'topic; the messages stay in it')
    .option('--broker <name>', 'only this broker group')
    .option('--cluster <name>', 'only the broker groups of this cluster')
    .option('--count <n>', 'messages to each broker group', integerArgument(1, 100_000), 10)
    .option('--size <bytes>', 'body of each', integerArgument(1, 4_194_304), 128)
    .addOption(jsonOption())
    .action((flags: ProbeFlags) => withConnection(flags, io, (at) => probe(at, flags, io)))
}

async function probe(at: AdminConnection, flags: ProbeFlags, io: ClientIo): Promise<void> {
  const { namesrv, count, size, json = false } = flags
  const targets = await queuesOf(at, flags)
  const producer = new Producer({
    namesrv,
    group: 'raftmq_probe',
    clock: io.clock,
    retries: 0,
    compressOverBytes: Infinity,
  })
  await producer.start()
  const interrupted = io.interrupted()
  const attempts: Attempt[] = []
  try {
    for (const queues of targets) {
      for (let n = 0; n < count && !interrupted.aborted; n++) {
        const queue = queues[n % queues.length]
        if (queue !== undefined) attempts.push(await attempt(producer, queue, size, io))
      }
    }
  } finally {
    await producer.close()
  }
  await print(io, json ? `${JSON.stringify(attempts)}\n` : attemptTable(attempts))
  const stored = attempts.filter(({ isStored }) => isStored)
  const sumMs = stored.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  const mean = stored.length === 0 ? '' : `, ${(sumMs / stored.length).toFixed(2)} ms on average`
  note(io, `${stored.length} of ${attempts.length} stored${mean}`)
  if (stored.length < attempts.length) throw new Error(`${attempts.length - stored.length} were not stored`)
}

/** The queues to send to, by broker group. */
async function queuesOf(
  at: AdminConnection,
  { topic, broker, cluster }: ProbeFlags,
): Promise<readonly (readonly MessageQueue[])[]> {
  const brokers = await at.brokersOf({ broker, cluster })
  const targets: MessageQueue[][] = []
  for (const { brokerName } of brokers) {
    // RocketMQ's brokers and these have a topic of their own name (TopicConfigManager).
    const route = await at.existing(topic ?? brokerName)
    const queues = route.writeQueues.filter((queue) => queue.brokerName === brokerName).sort(compareQueues)
    if (queues.length > 0) targets.push(queues)
  }
  if (targets.length === 0) throw new Error(`${topic ?? 'no topic'} has no queue to write to there`)
  return targets
}

async function attempt(producer: Producer, queue: MessageQueue, size: number, { clock }: ClientIo): Promise<Attempt> {
  const { topic, brokerName: broker, queueId } = queue
  const startMs = clock.monotonicMs()
  const since = (): number => Math.round((clock.monotonicMs() - startMs) * 1_000) / 1_000
  try {
    await producer.send({ topic, body: Buffer.alloc(size, 'a'), queue })
    return { broker, topic, queueId, isStored: true, milliseconds: since(), error: null }
  } catch (error) {
    return { broker, topic, queueId, isStored: false, milliseconds: since(), error: errorMessage(error) }
  }
}

function attemptTable(attempts: readonly Attempt[]): string {
  const rows = attempts.map(({ broker, topic, queueId, milliseconds, error }) => [
    broker,
    topic,
    queueId,
    milliseconds.toFixed(2),
    error ?? 'stored',
  ])
  return table(['broker', 'topic', 'queue', 'ms', 'result'], rows)
}
