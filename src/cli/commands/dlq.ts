import type { Command } from 'commander'
import { DeadLetters } from '../../client/admin/dead-letters.ts'
import type { DeadLetter } from '../../client/admin/dead-letters.ts'
import { Producer } from '../../client/producer/producer.ts'
import { integerArgument } from '../arguments.ts'
import { counted, jsonOption, namesrvOption, note, print, processIo, table, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface DlqFlags {
  readonly namesrv: string
  readonly group: string
}

interface ListFlags extends DlqFlags {
  readonly count: number
  readonly json?: boolean
}

interface ResendFlags extends DlqFlags {
  readonly id?: readonly string[]
  readonly toTopic?: boolean
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  const dlq = program
    .command('dlq')
    .summary('list or resend messages that a group failed at too often')
    .description('The dead letters of a consumer group: messages that it failed at too often (%DLQ%<group>).')
  const command = (name: string, description: string): Command =>
    dlq
      .command(name)
      .description(description)
      .addOption(namesrvOption())
      .requiredOption('-g, --group <group>', 'consumer group')
  command('list', 'list them, oldest first in each queue')
    .option('--count <n>', 'at most so many', integerArgument(1, 1_000_000), 1_000)
    .addOption(jsonOption())
    .action((flags: ListFlags) => list(flags, io))
  command('resend', 'send them to the group again, and remember how far')
    .option('--id <id...>', 'only these, also if they were sent again before')
    .option('--to-topic', 'to the topic they came from, for all its groups, instead of to this group alone')
    .addOption(jsonOption())
    .action((flags: ResendFlags) => resend(flags, io))
}

function list({ group, count, json = false, ...flags }: ListFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const rows: Row[] = []
    for await (const letter of new DeadLetters(at, group).list()) {
      if (rows.length === count) {
        note(io, `there are more than ${count}`)
        break
      }
      rows.push(rowOf(letter))
    }
    if (json) return print(io, `${JSON.stringify(rows)}\n`)
    if (rows.length === 0) return print(io, `${group} has no dead letters\n`)
    const cells = rows.map((row) => [
      row.id,
      row.topic,
      row.keys.join(' '),
      row.reconsumeTimes,
      row.stored,
      row.isResent ? 'sent again' : 'dead',
    ])
    await print(io, table(['id', 'topic', 'keys', 'redeliveries', 'stored', 'state'], cells))
  })
}

interface Row {
  readonly id: string
  readonly topic: string
  readonly keys: readonly string[]
  readonly reconsumeTimes: number
  readonly stored: string
  readonly isResent: boolean
  readonly broker: string
  readonly queue: number
  readonly queueOffset: number
}

function rowOf({ message, topic, isResent }: DeadLetter): Row {
  return {
    id: message.messageId,
    topic,
    keys: message.keys,
    reconsumeTimes: message.reconsumeTimes,
    stored: new Date(message.storeTimestampMs).toISOString(),
    isResent,
    broker: message.brokerName,
    queue: message.queueId,
    queueOffset: message.queueOffset,
  }
}

function resend({ group, id, toTopic = false, ...flags }: ResendFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const letters = new DeadLetters(at, group)
    const producer = new Producer({ namesrv: flags.namesrv, group: 'raftmq_dlq', clock: io.clock })
    await producer.start()
    try {
      const options = id === undefined ? { toTopic } : { ids: id, toTopic }
      const count = await letters.resend((message) => producer.send(message), options)
      const what = `${counted(count, 'message')} sent again`
      const line = `${what} to ${toTopic ? 'the topics they came from' : group}`
      await tell(io, flags, line, { done: 'dlq resend', group, toTopic, count })
    } finally {
      await producer.close()
    }
  })
}
