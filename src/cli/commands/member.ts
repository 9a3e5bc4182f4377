import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import type { GroupChange, GroupMembers } from '../../client/admin/member-admin.ts'
import { integerArgument } from '../arguments.ts'
import { namesrvOption, note, print, processIo, table } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface MemberFlags {
  readonly namesrv: string
  readonly broker: string
  readonly json?: boolean
}

interface ChangeFlags extends MemberFlags {
  readonly id: string
  readonly within: number
}

const MAX_WITHIN_S = 86_400

export function register(program: Command, io: ClientIo = processIo()): void {
  const member = program
    .command('member')
    .summary('list, add, promote, remove or replace nodes of a broker group')
    .description(
      'The nodes that make up a broker group, changed while traffic runs. A new node is added first, which makes it a ' +
        'learner; started, it is filled; promoted, it votes. An id that was removed is never used again.',
    )
  const command = (name: string, description: string): Command =>
    member
      .command(name)
      .description(description)
      .addOption(namesrvOption())
      .requiredOption('--broker <name>', 'broker group, for example broker-a')
      .option('--json', 'one JSON document: the members after it')
  const change = (name: string, description: string): Command =>
    command(name, description).requiredOption('--id <node>', 'the node, for example n3')

  command('list', 'list the members and how far they are').action((flags: MemberFlags) => list(flags, io))
  change('add', 'add a node as a learner; it is filled once it is started and does not vote')
    .requiredOption('--address <host:port>', 'where its peers reach it (dLegerPeers)')
    .action((flags: ChangeFlags & { readonly address: string }) =>
      make({ ...flags, within: 0 }, { change: 'add', id: flags.id, place: flags.address }, io),
    )
  withinOption(change('promote', 'let a learner vote, once it has caught up')).action((flags: ChangeFlags) =>
    make(flags, { change: 'promote', id: flags.id }, io),
  )
  change('remove', 'take a node out, for good; a leader hands leadership over first').action((flags: ChangeFlags) =>
    make({ ...flags, within: 0 }, { change: 'remove', id: flags.id }, io),
  )
  withinOption(change('replace', 'take a node out, dead or alive, and let a learner vote in its place, in one change'))
    .requiredOption('--by <node>', 'the learner that takes its place')
    .action((flags: ChangeFlags & { readonly by: string }) =>
      make(flags, { change: 'replace', id: flags.id, by: flags.by }, io),
    )
}

function withinOption(command: Command): Command {
  return command.option('--within <seconds>', 'how long it may take to catch up', integerArgument(0, MAX_WITHIN_S), 60)
}

async function list(flags: MemberFlags, io: ClientIo): Promise<void> {
  await withAdmin(flags, io, async (admin) => show(await admin.members(flags.broker), flags, io))
}

async function make({ within, ...flags }: ChangeFlags, change: GroupChange, io: ClientIo): Promise<void> {
  await withAdmin(flags, io, async (admin) => {
    await admin.changeMembers(flags.broker, change, within * 1000)
    const members = await admin.members(flags.broker)
    if (flags.json !== true) note(io, sentenceOf(change, flags.broker))
    await show(members, flags, io)
  })
}

function sentenceOf(change: GroupChange, broker: string): string {
  const { id } = change
  if (change.change === 'add') {
    return `${id} is a learner of ${broker}: start it with a file that names the group and itself, then promote it`
  }
  if (change.change === 'promote') return `${id} votes in ${broker}`
  if (change.change === 'remove') return `${id} is out of ${broker} for good: it stops, and its folder can be deleted`
  return `${change.by} votes in ${broker} in the place of ${id}, which is out for good`
}

async function show(members: GroupMembers, { json = false }: MemberFlags, io: ClientIo): Promise<void> {
  if (json) return print(io, `${JSON.stringify(members)}\n`)
  const rows = members.members.map((row) => [
    row.id,
    row.isLeader ? 'leader' : row.role,
    row.place ?? '–',
    row.isFilled ? 'yes' : 'no',
    row.lagEntries,
    row.isLeader ? '–' : `${row.lastContactMs} ms ago`,
  ])
  await print(io, table(['node', 'role', 'address for peers', 'filled', 'lag entries', 'heard'], rows))
  if (members.isChanging) note(io, 'a change is under way')
  if (members.removed.length > 0) note(io, `removed, never used again: ${members.removed.join(', ')}`)
}

async function withAdmin(flags: MemberFlags, io: ClientIo, work: (admin: Admin) => Promise<void>): Promise<void> {
  const admin = new Admin({ namesrv: flags.namesrv, clock: io.clock })
  try {
    await work(admin)
  } finally {
    admin.close()
  }
}
