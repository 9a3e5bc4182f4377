/** What `raftmq topic` says of the queues of a topic: how a group would share them, and which an ordered topic keeps. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { OrderedTopics } from '../../client/admin/ordered-topics.ts'
import { allocateQueuesBy, allocateStrategies } from '../../client/consumer/allocate-queues.ts'
import { jsonOption, namesrvOption, note, print, table, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ShareFlags {
  readonly namesrv: string
  readonly clients: readonly string[]
  readonly strategy: string
  readonly json?: boolean
}

interface OrderFlags {
  readonly namesrv: string
  readonly set?: string
  readonly delete?: boolean
  readonly json?: boolean
}

export function addTopicQueues(topic: Command, io: ClientIo): void {
  topic
    .command('share <topic>')
    .description('show how a group of these clients would share the queues')
    .addOption(namesrvOption())
    .requiredOption('--clients <ids>', 'client ids, with "," between them', names)
    .addOption(new Option('--strategy <name>', 'how').choices(allocateStrategies).default('averagely'))
    .addOption(jsonOption())
    .action((name: string, flags: ShareFlags) => share(name, flags, io))
  topic
    .command('order <topic>')
    .description('show or change which queues an ordered topic keeps while a broker group is away')
    .addOption(namesrvOption())
    .option('--set <queues>', 'for example broker-a:4;broker-b:4')
    .option('--delete', 'let the queues be those of the broker groups that are there')
    .addOption(jsonOption())
    .action((name: string, flags: OrderFlags, command: Command) => {
      if (flags.set !== undefined && flags.delete === true) command.error('error: give --set or --delete, not both')
      return order(name, flags, io)
    })
}

function names(text: string): readonly string[] {
  const found = text.split(',').map((name) => name.trim())
  if (found.every((name) => name !== '')) return found
  throw new InvalidArgumentError('It is a list such as a,b,c.')
}

function share(topic: string, { clients, strategy, json = false, ...flags }: ShareFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const { readQueues } = await at.existing(topic)
    const allocate = allocateQueuesBy(strategy)
    const shares = clients.map((clientId) => ({
      clientId,
      queues: allocate({ clientId, queues: readQueues, clientIds: clients }).map(({ brokerName, queueId }) => ({
        brokerName,
        queueId,
      })),
    }))
    if (json) return print(io, `${JSON.stringify(shares)}\n`)
    const rows = shares.flatMap(({ clientId, queues }) =>
      queues.length === 0 ? [[clientId, '–', '–']] : queues.map((row) => [clientId, row.brokerName, row.queueId]),
    )
    await print(io, table(['client', 'broker', 'queue'], rows))
  })
}

function order(topic: string, { set, delete: isDeleted, json = false, ...flags }: OrderFlags, io: ClientIo) {
  const none = `${topic} keeps no queues of its own`
  return withConnection(flags, io, async (at) => {
    const ordered = new OrderedTopics(at)
    if (set !== undefined) {
      await ordered.set(topic, set)
      return tell(io, { json }, `${topic} keeps ${set}`, { done: 'topic order', topic, queues: set })
    }
    if (isDeleted === true) {
      await ordered.delete(topic)
      return tell(io, { json }, none, { done: 'topic order', topic, queues: null })
    }
    const queues = await ordered.get(topic)
    if (json) return print(io, `${JSON.stringify({ topic, queues: queues ?? null })}\n`)
    if (queues === undefined) return note(io, none)
    await print(io, `${queues}\n`)
  })
}
