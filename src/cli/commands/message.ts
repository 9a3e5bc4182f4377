import type { Command } from 'commander'
import { traceOf } from '../../client/admin/message-traces.ts'
import { Messages } from '../../client/admin/messages.ts'
import type { ReceivedMessage } from '../../client/core/received-message.ts'
import { integerArgument, timeArgument } from '../arguments.ts'
import { messageJson } from '../message-json.ts'
import { counted, jsonOption, namesrvOption, note, print, processIo, table, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface Flags {
  readonly namesrv: string
  readonly json?: boolean
}

interface SpanFlags extends Flags {
  readonly topic: string
  readonly from?: Date
  readonly to?: Date
  readonly count: number
}

interface PlaceFlags extends Flags {
  readonly topic: string
  readonly broker: string
  readonly queue: number
  readonly offset: number
}

const OFFSETS = integerArgument(0, Number.MAX_SAFE_INTEGER)

export function register(program: Command, io: ClientIo = processIo()): void {
  const message = program
    .command('message')
    .summary('find stored messages by id, key, time or place')
    .description('Stored messages, whoever consumed them.')
  const command = (words: string, description: string): Command =>
    message.command(words).description(description).addOption(namesrvOption())
  command('show <id>', 'show one message with its properties and its body')
    .option('-t, --topic <topic>', 'its topic; needed for the id that its producer gave it')
    .addOption(jsonOption())
    .action((id: string, flags: Flags & { readonly topic?: string }) => showById(id, flags, io))
  command('at', 'show the message at a place of a queue')
    .requiredOption('-t, --topic <topic>', 'topic')
    .requiredOption('--broker <name>', 'broker group, for example broker-a')
    .requiredOption('--queue <n>', 'queue of the topic there', OFFSETS)
    .requiredOption('--offset <n>', 'queueOffset', OFFSETS)
    .addOption(jsonOption())
    .action((flags: PlaceFlags) => showAt(flags, io))
  command('trace <id>', 'show who sent a message and who handled it, as clients with trace: true told it')
    .addOption(jsonOption())
    .action((id: string, flags: Flags) => trace(id, flags, io))
  span(command('find', 'list the messages with a key'), 64)
    .requiredOption('-k, --key <key>', 'key of the messages')
    .action((flags: SpanFlags & { readonly key: string }) => find(flags, io))
  span(command('print', 'print the messages of a topic, queue by queue'), 1_000).action((flags: SpanFlags) =>
    printAll(flags, io),
  )
}

function span(command: Command, count: number): Command {
  return command
    .requiredOption('-t, --topic <topic>', 'topic')
    .option('--from <time>', 'stored at this time or later', timeArgument)
    .option('--to <time>', 'stored before this time', timeArgument)
    .option('--count <n>', 'at most so many', integerArgument(1, 1_000_000), count)
    .option('--json', 'one JSON object per message')
}

function showById(id: string, { topic, ...flags }: Flags & { readonly topic?: string }, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const found = await new Messages(at).byId(id, topic)
    if (found === undefined) {
      const hint = topic === undefined ? '; the id that a producer gave is found with --topic' : ` in ${topic}`
      throw new Error(`there is no message ${id}${hint}`)
    }
    await show(found, flags, io)
  })
}

function showAt({ topic, broker, queue, offset, ...flags }: PlaceFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const found = await new Messages(at).at({ topic, brokerName: broker, queueId: queue }, offset)
    if (found === undefined) throw new Error(`there is no message at ${offset} of ${topic}/${queue} at ${broker}`)
    await show(found, flags, io)
  })
}

function find({ topic, key, from, to, count, ...flags }: SpanFlags & { readonly key: string }, io: ClientIo) {
  return withConnection(flags, io, async (at) => {
    const query = { topic, key, fromMs: from?.getTime(), toMs: to?.getTime(), max: count }
    await list(await new Messages(at).byKey(query), flags, io)
  })
}

function printAll({ topic, from, to, count, ...flags }: SpanFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    let printed = 0
    const query = { topic, fromMs: from?.getTime(), toMs: to?.getTime() }
    for await (const message of new Messages(at).range(query)) {
      if (printed === count) return note(io, `there are more than ${count}`)
      await print(io, flags.json === true ? `${messageJson(message)}\n` : `${placeOf(message)}  ${textOf(message)}\n`)
      printed += 1
    }
    note(io, counted(printed, 'message'))
  })
}

function trace(id: string, { json = false, ...flags }: Flags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const events = await traceOf(at, id)
    if (json) return print(io, `${JSON.stringify(events)}\n`)
    if (events.length === 0) return note(io, `nothing is told of ${id}: clients that are made with trace: true tell it`)
    const rows = events.map(({ what, atMs, group, isSuccess, costMs, redeliveries, storeHost }) => [
      new Date(atMs).toISOString(),
      what,
      group,
      isSuccess === undefined ? '–' : isSuccess ? 'well' : 'badly',
      costMs === undefined ? '–' : `${costMs} ms`,
      storeHost ?? (redeliveries === undefined ? '–' : `${redeliveries} times before`),
    ])
    await print(io, table(['time', 'what', 'group', 'ended', 'took', 'more'], rows))
  })
}

async function list(messages: readonly ReceivedMessage[], { json = false }: Flags, io: ClientIo): Promise<void> {
  if (json) return print(io, messages.map((message) => `${messageJson(message)}\n`).join(''))
  if (messages.length === 0) return note(io, 'no message has that key')
  const rows = messages.map((message) => [
    message.messageId,
    message.brokerName,
    message.queueId,
    message.queueOffset,
    message.tag ?? '–',
    new Date(message.storeTimestampMs).toISOString(),
    message.storedBodyBytes,
  ])
  await print(io, table(['id', 'broker', 'queue', 'offset', 'tag', 'stored', 'bytes'], rows))
}

async function show(message: ReceivedMessage, { json = false }: Flags, io: ClientIo): Promise<void> {
  if (json) return print(io, `${messageJson(message)}\n`)
  const rows = [
    ['id', message.messageId],
    ['place', `${message.storedTopic}/${message.queueId} at ${message.brokerName}, ${message.queueOffset}`],
    ['offset id', message.offsetMessageId],
    ['born', new Date(message.bornTimestampMs).toISOString()],
    ['stored', new Date(message.storeTimestampMs).toISOString()],
    ['redeliveries', `${message.reconsumeTimes}`],
    ...[...message.properties].map(([name, value]) => [`property ${name}`, value]),
  ]
  const width = Math.max(...rows.map(([name = '']) => name.length))
  await print(io, rows.map(([name = '', value = '']) => `${name.padEnd(width)}  ${value}\n`).join(''))
  await print(io, `\n${message.body.toString()}\n`)
}

function placeOf({ brokerName, queueId, queueOffset }: ReceivedMessage): string {
  return `${brokerName}/${queueId}/${queueOffset}`
}

/** In one line, whatever it holds. */
function textOf({ body }: ReceivedMessage): string {
  return JSON.stringify(body.toString()).slice(1, -1)
}
