import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { namesrvOption, print, processIo, table } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface GroupFlags {
  readonly namesrv: string
  readonly json?: boolean
  readonly all?: boolean
}

/** Groups that brokers know by themselves. */
const systemNames =
  /^(?:TOOLS_CONSUMER|FILTERSRV_CONSUMER|SELF_TEST_.*|CID_ONS.*|CID_RMQ_SYS_.*|CID_SYS_RMQ_TRANS|CLIENT_INNER_PRODUCER)$/

export function register(program: Command, io: ClientIo = processIo()): void {
  const group = program
    .command('group')
    .summary('list or show consumer groups')
    .description('Consumer groups of the cluster.')
  group
    .command('list')
    .description('list consumer groups')
    .addOption(namesrvOption())
    .option('--all', "the system's own groups too")
    .option('--json', 'one JSON document')
    .action((flags: GroupFlags) => withAdmin(flags, io, (admin) => list(admin, flags, io)))
  group
    .command('show <group>')
    .description('show who is in a group and how far it is, queue by queue')
    .addOption(namesrvOption())
    .option('--json', 'one JSON document')
    .action((name: string, flags: GroupFlags) => withAdmin(flags, io, (admin) => show(admin, name, flags, io)))
}

async function withAdmin(flags: GroupFlags, io: ClientIo, work: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = new Admin({ namesrv: flags.namesrv, clock: io.clock })
  try {
    await work(admin)
  } finally {
    admin.close()
  }
}

async function list(admin: Admin, { json = false, all = false }: GroupFlags, io: ClientIo): Promise<void> {
  const groups = (await admin.groups()).filter(({ group }) => all || !systemNames.test(group))
  await print(io, json ? `${JSON.stringify(groups)}\n` : groups.map(({ group }) => `${group}\n`).join(''))
}

async function show(admin: Admin, group: string, { json = false }: GroupFlags, io: ClientIo): Promise<void> {
  if (!(await admin.groups()).some((row) => row.group === group)) throw new Error(`there is no group ${group}`)
  const members = await admin.groupMembers(group)
  const stats = await admin.groupStats(group)
  const lag = stats.reduce((sum, row) => sum + row.lag, 0)
  if (json) {
    const queues = stats.map(({ queue, ...row }) => ({ ...queue, ...row }))
    return print(io, `${JSON.stringify({ group, lag, members, queues })}\n`)
  }
  const count = members.length === 1 ? '1 member' : `${members.length} members`
  await print(io, `${group}: ${count}, ${lag} messages behind\n`)
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
