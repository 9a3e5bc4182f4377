import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { Producer } from '../../client/producer/producer.ts'
import type { OutgoingMessage } from '../../client/producer/outgoing-message.ts'
import { errorMessage } from '../../lib/errors.ts'
import { counted, findTopic, namesrvOption, note, processIo } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ProduceFlags {
  readonly namesrv: string
  readonly topic: string
  readonly tag?: string
  readonly key?: string
}

/** Lines that may wait for their acknowledgement. */
const WINDOW = 1_000

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('produce')
    .summary('send one message per line of standard input')
    .description('Sends one message per line of standard input and ends when every message is acknowledged.')
    .addOption(namesrvOption())
    .requiredOption('-t, --topic <topic>', 'topic')
    .option('--tag <tag>', 'tag of every message')
    .option('--key <key>', 'key of every message')
    .action((flags: ProduceFlags) => produce(flags, io))
}

async function produce(flags: ProduceFlags, io: ClientIo): Promise<void> {
  const { namesrv, topic, tag, key } = flags
  const more = { ...(tag === undefined ? {} : { tag }), ...(key === undefined ? {} : { keys: key }) }
  await findTopic(flags, io)
  const producer = new Producer({ namesrv, group: 'raftmq_produce', clock: io.clock })
  await producer.start()
  const interrupted = io.interrupted()
  const startMs = io.clock.monotonicMs()
  const pending = new Set<Promise<void>>()
  let acknowledged = 0
  let failed = 0
  let firstFailure: unknown

  const send = async (message: OutgoingMessage): Promise<void> => {
    try {
      await producer.send(message)
      acknowledged += 1
    } catch (error) {
      failed += 1
      firstFailure ??= error
    }
  }
  const lines = createInterface({ input: io.input, crlfDelay: Number.POSITIVE_INFINITY })
  interrupted.addEventListener('abort', () => lines.close(), { once: true })
  for await (const line of lines) {
    if (interrupted.aborted) break
    if (line === '') continue
    const sending = send({ topic, body: line, ...more }).finally(() => pending.delete(sending))
    pending.add(sending)
    if (pending.size >= WINDOW) await Promise.race(pending)
  }
  await Promise.all(pending)
  await producer.close()
  const seconds = (io.clock.monotonicMs() - startMs) / 1_000
  const rate = seconds > 0 ? `, ${Math.round(acknowledged / seconds)}/s` : ''
  note(io, `${counted(acknowledged, 'message')} acknowledged in ${seconds.toFixed(1)} s${rate}`)
  if (failed > 0) throw new Error(`${failed} not acknowledged; the first: ${errorMessage(firstFailure)}`)
}
