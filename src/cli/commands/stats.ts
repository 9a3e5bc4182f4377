import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { BrokerFigures } from '../../client/admin/broker-figures.ts'
import type { AdminConnection } from '../../client/admin/connection.ts'
import { topicConsumers } from '../../client/admin/topic-consumers.ts'
import { isUserTopic } from '../user-topics.ts'
import { jsonOption, namesrvOption, print, processIo, table, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface StatsFlags {
  readonly namesrv: string
  readonly topic?: string
  readonly all?: boolean
  readonly json?: boolean
}

interface Row {
  readonly topic: string
  /** Null: nobody consumes it. */
  readonly group: string | null
  readonly behind: number
  readonly inPerSecond: number
  readonly outPerSecond: number
  readonly inToday: number
  readonly outToday: number
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('stats')
    .summary('show what goes in and out, topic by topic and group by group')
    .description('Messages a second over the last minute, messages since midnight, and how far groups are behind.')
    .addOption(namesrvOption())
    .option('-t, --topic <topic>', 'only this topic')
    .option('--all', "the system's own topics too")
    .addOption(jsonOption())
    .action((flags: StatsFlags) => withConnection(flags, io, (at) => stats(at, flags, io)))
}

async function stats(
  at: AdminConnection,
  { topic, all = false, json = false }: StatsFlags,
  io: ClientIo,
): Promise<void> {
  if (topic !== undefined) await at.existing(topic)
  const brokers = await at.brokers()
  const topics = topic === undefined ? await new Admin(at).topics() : [topic]
  const rows: Row[] = []
  for (const name of topics)
    if (all || topic !== undefined || isUserTopic(name, brokers)) rows.push(...(await rowsOf(at, name)))
  if (json) return print(io, `${JSON.stringify(rows)}\n`)
  const cells = rows.map((row) => [
    row.topic,
    row.group ?? '–',
    row.behind,
    row.inPerSecond.toFixed(1),
    row.outPerSecond.toFixed(1),
    row.inToday,
    row.outToday,
  ])
  await print(io, table(['topic', 'group', 'behind', 'in/s', 'out/s', 'in today', 'out today'], cells))
}

async function rowsOf(at: AdminConnection, topic: string): Promise<Row[]> {
  const figures = new BrokerFigures(at)
  const incoming = await figures.incoming(topic)
  const head = { topic, inPerSecond: incoming.perSecond, inToday: incoming.today }
  const groups = await topicConsumers(at, topic)
  if (groups.length === 0) return [{ ...head, group: null, behind: 0, outPerSecond: 0, outToday: 0 }]
  const rows: Row[] = []
  for (const group of groups) {
    const outgoing = await figures.outgoing(topic, group)
    const queues = (await new Admin(at).groupStats(group)).filter(({ queue }) => queue.topic === topic)
    const behind = queues.reduce((sum, { lag }) => sum + lag, 0)
    rows.push({ ...head, group, behind, outPerSecond: outgoing.perSecond, outToday: outgoing.today })
  }
  return rows
}
