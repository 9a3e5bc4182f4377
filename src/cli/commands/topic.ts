import { Option } from 'commander'
import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { leaderOf } from '../../client/core/topic-route.ts'
import { integerArgument } from '../arguments.ts'
import { isUserTopic } from '../user-topics.ts'
import { counted, jsonOption, namesrvOption, print, processIo, table, tell } from './client-io.ts'
import type { ClientIo } from './client-io.ts'
import { addTopicQueues } from './topic-queues.ts'

interface TopicFlags {
  readonly namesrv: string
  readonly json?: boolean
  readonly all?: boolean
}

interface CreateFlags extends TopicFlags {
  readonly queues: number
  readonly broker?: string
  readonly readQueues?: number
  readonly writeQueues?: number
  readonly permission: 'r' | 'w' | 'rw'
  readonly ordered?: boolean
  readonly type?: string
}

const types = ['NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'MIXED', 'UNSPECIFIED']
const QUEUES = integerArgument(1, 1_024)

export function register(program: Command, io: ClientIo = processIo()): void {
  const topic = program
    .command('topic')
    .summary('create, list, show or delete topics')
    .description('Topics of the cluster.')
  topic
    .command('create <topic>')
    .description('create a topic, or change its queues and permission')
    .addOption(namesrvOption())
    .option('--queues <n>', 'queues per broker group', QUEUES, 4)
    .option('--read-queues <n>', 'queues that consumers read, where it is another number', QUEUES)
    .option('--write-queues <n>', 'queues that producers write, where it is another number', QUEUES)
    .option('--broker <name>', 'only in this broker group')
    .addOption(new Option('--permission <p>', 'what clients may do').choices(['r', 'w', 'rw']).default('rw'))
    .option(
      '--ordered',
      'its order is kept: the name servers keep its queues, so that producers write no other while a broker group is away',
    )
    .addOption(new Option('--type <type>', 'take such messages alone').choices(types))
    .addOption(jsonOption())
    .action((name: string, flags: CreateFlags) => withAdmin(flags, io, (admin) => create(admin, name, flags, io)))
  topic
    .command('list')
    .description('list topics')
    .addOption(namesrvOption())
    .option('--all', "the system's own topics too")
    .addOption(jsonOption())
    .action((flags: TopicFlags) => withAdmin(flags, io, (admin) => list(admin, flags, io)))
  topic
    .command('show <topic>')
    .description('show where a topic lives and how full its queues are')
    .addOption(namesrvOption())
    .addOption(jsonOption())
    .action((name: string, flags: TopicFlags) => withAdmin(flags, io, (admin) => show(admin, name, flags, io)))
  topic
    .command('delete <topic>')
    .description('delete a topic with its messages')
    .addOption(namesrvOption())
    .addOption(jsonOption())
    .action((name: string, flags: TopicFlags) => withAdmin(flags, io, (admin) => remove(admin, name, flags, io)))
  addTopicQueues(topic, io)
}

async function withAdmin(flags: TopicFlags, io: ClientIo, work: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = new Admin({ namesrv: flags.namesrv, clock: io.clock })
  try {
    await work(admin)
  } finally {
    admin.close()
  }
}

function queuesText(read: number, write: number): string {
  return read === write ? counted(read, 'queue') : `${read} queues to read, ${write} to write`
}

async function create(admin: Admin, topic: string, flags: CreateFlags, io: ClientIo): Promise<void> {
  const { queues, readQueues, writeQueues, broker, permission, ordered = false, type: messageType } = flags
  const where = broker === undefined ? {} : { broker }
  const shape = { readQueues: readQueues ?? queues, writeQueues: writeQueues ?? queues, permission, ordered }
  const brokers = await admin.createTopic({ topic, ...shape, messageType, ...where })
  const line = `${topic}: ${queuesText(shape.readQueues, shape.writeQueues)} in ${brokers.join(', ')}`
  await tell(io, flags, line, { done: 'topic create', topic, ...shape, type: messageType ?? null, brokers })
}

async function list(admin: Admin, { json = false, all = false }: TopicFlags, io: ClientIo): Promise<void> {
  const brokers = all ? [] : await admin.brokers()
  const topics = (await admin.topics()).filter((topic) => all || isUserTopic(topic, brokers))
  await print(io, json ? `${JSON.stringify(topics)}\n` : topics.map((topic) => `${topic}\n`).join(''))
}

async function show(admin: Admin, topic: string, { json = false }: TopicFlags, io: ClientIo): Promise<void> {
  const stats = await admin.topicStats(topic)
  const route = await admin.route(topic)
  const leaders = [...(route?.brokers.values() ?? [])].map((group) => ({
    broker: group.brokerName,
    cluster: group.cluster,
    leader: leaderOf(group) ?? null,
  }))
  if (json) {
    const queues = stats.map(({ queue, minOffset, maxOffset, lastUpdateMs }) => ({
      broker: queue.brokerName,
      queueId: queue.queueId,
      minOffset,
      maxOffset,
      lastUpdateMs,
    }))
    return print(io, `${JSON.stringify({ topic, brokers: leaders, queues })}\n`)
  }
  const messages = stats.reduce((sum, row) => sum + row.maxOffset - row.minOffset, 0)
  const where = leaders.map(({ broker, leader }) => `${broker} (${leader ?? 'no leader'})`).join(', ')
  const rows = stats.map(({ queue, minOffset, maxOffset, lastUpdateMs }) => [
    queue.brokerName,
    queue.queueId,
    minOffset,
    maxOffset,
    maxOffset - minOffset,
    lastUpdateMs > 0 ? new Date(lastUpdateMs).toISOString() : '–',
  ])
  await print(io, `${topic}: ${counted(messages, 'message')} in ${counted(stats.length, 'queue')} at ${where}\n`)
  await print(io, table(['broker', 'queue', 'first', 'next', 'messages', 'last stored'], rows))
}

async function remove(admin: Admin, topic: string, flags: TopicFlags, io: ClientIo): Promise<void> {
  await admin.deleteTopic(topic)
  await tell(io, flags, `${topic}: deleted`, { done: 'topic delete', topic })
}
