import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { groupMembers } from '../../client/admin/group-members.ts'
import type { AdminConnection } from '../../client/admin/connection.ts'
import { GroupOffsets } from '../../client/admin/group-offsets.ts'
import type { ResetTo } from '../../client/admin/group-offsets.ts'
import { checkGroupName } from '../../client/core/names.ts'
import { integerArgument, parseTime } from '../arguments.ts'
import { counted, jsonOption, namesrvOption, print, processIo, table, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'
import { addGroupInspection } from './group-inspection.ts'
import { addGroupSettings } from './group-settings.ts'

interface GroupFlags {
  readonly namesrv: string
  readonly json?: boolean
  readonly all?: boolean
}

interface ResetFlags {
  readonly namesrv: string
  readonly topic: string
  readonly to: ResetTo
  readonly broker?: string
  readonly queue?: number
  readonly json?: boolean
}

/** Groups that brokers know by themselves, and that of the tools. */
const systemNames =
  /^(?:TOOLS_CONSUMER|raftmq_dlq|FILTERSRV_CONSUMER|SELF_TEST_.*|CID_ONS.*|CID_RMQ_SYS_.*|CID_SYS_RMQ_TRANS|CLIENT_INNER_PRODUCER)$/

export function register(program: Command, io: ClientIo = processIo()): void {
  const group = program
    .command('group')
    .summary('list, show, create, change, delete or move consumer groups')
    .description('Consumer groups of the cluster.')
  group
    .command('list')
    .description('list consumer groups')
    .addOption(namesrvOption())
    .option('--all', "the system's own groups too")
    .addOption(jsonOption())
    .action((flags: GroupFlags) => withAdmin(flags, io, (admin) => list(admin, flags, io)))
  group
    .command('show <group>')
    .description('show who is in a group and how far it is, queue by queue')
    .addOption(namesrvOption())
    .addOption(jsonOption())
    .action((name: string, flags: GroupFlags) => withConnection(flags, io, (at) => show(at, name, flags, io)))
  group
    .command('create <group>')
    .description('create a group before its first member comes')
    .addOption(namesrvOption())
    .addOption(jsonOption())
    .action((name: string, flags: GroupFlags) => withAdmin(flags, io, (admin) => create(admin, name, flags, io)))
  group
    .command('delete <group>')
    .description('delete a group with its offsets')
    .addOption(namesrvOption())
    .addOption(jsonOption())
    .action((name: string, flags: GroupFlags) => withAdmin(flags, io, (admin) => remove(admin, name, flags, io)))
  group
    .command('reset <group>')
    .description('move a group to another place of a topic; its members go on there')
    .addOption(namesrvOption())
    .requiredOption('-t, --topic <topic>', 'topic')
    .requiredOption('--to <place>', 'first, last (skips what waits), an ISO time, or a queueOffset of --queue', place)
    .option('--broker <name>', 'only the queue of this broker group')
    .option('--queue <n>', 'only this queue', integerArgument(0, 65_535))
    .addOption(jsonOption())
    .action((name: string, flags: ResetFlags, command: Command) => {
      if ((flags.broker === undefined) !== (flags.queue === undefined)) {
        command.error('error: a queue is named by --broker and --queue together')
      }
      if (typeof flags.to === 'number' && flags.queue === undefined) {
        command.error('error: a queueOffset is a place of one queue: give --broker and --queue')
      }
      return withConnection(flags, io, (at) => reset(new GroupOffsets(at), name, flags, io))
    })
  group
    .command('clone <from> <to>')
    .description('put a group where another one is')
    .addOption(namesrvOption())
    .option('-t, --topic <topic>', 'only in this topic')
    .addOption(jsonOption())
    .action((from: string, to: string, flags: GroupFlags & { readonly topic?: string }) =>
      withConnection(flags, io, async (at) => {
        await existing(new Admin(at), from)
        await new GroupOffsets(at).clone(from, to, flags.topic)
        const line = `${to} is where ${from} is${flags.topic === undefined ? '' : ` in ${flags.topic}`}`
        await tell(io, flags, line, { done: 'group clone', from, to, topic: flags.topic ?? null })
      }),
    )
  addGroupInspection(group, io)
  addGroupSettings(group, io)
}

function place(text: string): ResetTo {
  if (text === 'first' || text === 'last') return text
  const time = parseTime(text)
  if (time !== undefined) return time
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('It is first, last, a queueOffset, or an ISO time such as 2026-01-31T12:00:00Z.')
}

async function withAdmin(flags: GroupFlags, io: ClientIo, work: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = new Admin({ namesrv: flags.namesrv, clock: io.clock })
  try {
    await work(admin)
  } finally {
    admin.close()
  }
}

async function create(admin: Admin, group: string, flags: GroupFlags, io: ClientIo): Promise<void> {
  checkGroupName(group)
  await admin.createGroup(group)
  await tell(io, flags, `${group}: created`, { done: 'group create', group })
}

async function remove(admin: Admin, group: string, flags: GroupFlags, io: ClientIo): Promise<void> {
  await existing(admin, group)
  await admin.deleteGroup(group)
  await tell(io, flags, `${group}: deleted`, { done: 'group delete', group })
}

async function reset(offsets: GroupOffsets, group: string, flags: ResetFlags, io: ClientIo): Promise<void> {
  const { topic, to, broker, queue, json = false } = flags
  const one = broker === undefined || queue === undefined ? {} : { queue: { brokerName: broker, queueId: queue } }
  const places = await offsets.reset({ group, topic, to, ...one })
  if (json) {
    const rows = places.map(({ queue: of, queueOffset }) => ({ ...of, queueOffset }))
    return print(io, `${JSON.stringify(rows)}\n`)
  }
  const rows = places.map(({ queue: of, queueOffset }) => [of.brokerName, of.queueId, queueOffset])
  await print(io, table(['broker', 'queue', 'next'], rows))
}

async function existing(admin: Admin, group: string): Promise<void> {
  if (!(await admin.groups()).some((row) => row.group === group)) throw new Error(`there is no group ${group}`)
}

async function list(admin: Admin, { json = false, all = false }: GroupFlags, io: ClientIo): Promise<void> {
  const groups = (await admin.groups()).filter(({ group }) => all || !systemNames.test(group))
  await print(io, json ? `${JSON.stringify(groups)}\n` : groups.map(({ group }) => `${group}\n`).join(''))
}

async function show(at: AdminConnection, group: string, { json = false }: GroupFlags, io: ClientIo): Promise<void> {
  const admin = new Admin(at)
  await existing(admin, group)
  const members = await groupMembers(at, group)
  const stats = await admin.groupStats(group)
  const lag = stats.reduce((sum, row) => sum + row.lag, 0)
  if (json) {
    const queues = stats.map(({ queue, ...row }) => ({ ...queue, ...row }))
    return print(io, `${JSON.stringify({ group, lag, members, queues })}\n`)
  }
  await print(io, `${group}: ${counted(members.length, 'member')}, ${counted(lag, 'message')} behind\n`)
  for (const { clientId, address, language } of members) await print(io, `  ${clientId} at ${address} (${language})\n`)
  if (stats.length === 0) return
  const rows = stats.map(({ queue, consumerOffset, brokerOffset, lag }) => [
    queue.topic,
    queue.brokerName,
    queue.queueId,
    consumerOffset,
    brokerOffset,
    lag,
  ])
  await print(io, table(['topic', 'broker', 'queue', 'consumed', 'stored', 'behind'], rows))
}
