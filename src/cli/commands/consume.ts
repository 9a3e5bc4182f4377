import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import type { ConsumeFrom } from '../../client/consumer/group-options.ts'
import { PushConsumer } from '../../client/consumer/push-consumer.ts'
import { integerArgument, parseTime } from '../arguments.ts'
import { messageJson } from '../message-json.ts'
import { counted, findTopic, namesrvOption, note, print, processIo } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ConsumeFlags {
  readonly namesrv: string
  readonly topic: string
  readonly group: string
  readonly from: ConsumeFrom
  readonly filter: string
  readonly count?: number
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('consume')
    .summary('print messages of a topic')
    .description('Prints the messages of a topic, one per line, and commits how far it came when it ends (Ctrl-C).')
    .addOption(namesrvOption())
    .requiredOption('-t, --topic <topic>', 'topic')
    .requiredOption('-g, --group <group>', 'consumer group')
    .option('--from <place>', 'where a group without offsets begins: first, last, or an ISO time', place, 'first')
    .option('--filter <tags>', "tags: 'A || B'", '*')
    .option('--count <n>', 'end after so many messages', integerArgument(1, Number.MAX_SAFE_INTEGER))
    .option('--json', 'one JSON object per message')
    .action((flags: ConsumeFlags) => consume(flags, io))
}

function place(text: string): ConsumeFrom {
  if (text === 'first' || text === 'last') return text
  const time = parseTime(text)
  if (time !== undefined) return time
  throw new InvalidArgumentError('It is first, last, or an ISO time such as 2026-01-31T12:00:00Z.')
}

async function consume(flags: ConsumeFlags, io: ClientIo): Promise<void> {
  const { namesrv, topic, group, from, count = Number.POSITIVE_INFINITY, json = false } = flags
  if ((await findTopic(flags, io)) === undefined) note(io, `the topic ${topic} does not exist yet: waiting for it`)
  const consumer = new PushConsumer({ namesrv, group, from, clock: io.clock })
  consumer.subscribe(topic, flags.filter)
  const interrupted = io.interrupted()
  interrupted.addEventListener('abort', () => void consumer.close(), { once: true })
  const messages = consumer[Symbol.asyncIterator]()
  let printed = 0
  while (printed < count) {
    const { done, value } = await messages.next()
    if (done === true) break
    await print(io, `${json ? messageJson(value) : value.body.toString()}\n`)
    printed += 1
  }
  // Asking for one more settles the last one; what comes of it is not settled and stays for the next time.
  if (!interrupted.aborted) void messages.next()
  await consumer.close()
  note(io, summary(printed, group))
}

function summary(printed: number, group: string): string {
  if (printed === 0) return `no messages came for group ${group}`
  return `${counted(printed, 'message')}; group ${group} begins after ${printed === 1 ? 'it' : 'them'} next time`
}
