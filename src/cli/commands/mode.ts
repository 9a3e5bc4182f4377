import { Option } from 'commander'
import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { groupModes, setGroupMode, type GroupModeChange } from '../../client/admin/group-modes.ts'
import { jsonOption, namesrvOption, print, processIo, table, tell } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ShowFlags {
  readonly namesrv: string
  readonly broker?: string
  readonly json?: boolean
}

interface SetFlags extends GroupModeChange {
  readonly namesrv: string
  readonly broker: string
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  const mode = program
    .command('mode')
    .summary('show or change when a broker group acknowledges a send')
    .description('When a broker group acknowledges a send: what counts as held, and by whom (docs/durability.md).')
  mode
    .command('show')
    .description('show the mode of every broker group')
    .addOption(namesrvOption())
    .option('--broker <name>', 'only this broker group')
    .addOption(jsonOption())
    .action((flags: ShowFlags) => withAdmin(flags, io, (admin) => show(admin, flags, io)))
  mode
    .command('set')
    .description('change the mode of a broker group, on all its nodes at once')
    .addOption(namesrvOption())
    .requiredOption('--broker <name>', 'broker group, for example broker-a')
    .addOption(new Option('--flush <mode>', 'held: on the medium (sync) or written (async)').choices(['sync', 'async']))
    .addOption(
      new Option('--replication <mode>', 'by a majority (sync) or the leader (async)').choices(['sync', 'async']),
    )
    .addOption(jsonOption())
    .action((flags: SetFlags, command: Command) => {
      if (flags.flush === undefined && flags.replication === undefined) {
        command.error('error: nothing to change: give --flush, --replication or both')
      }
      return withAdmin(flags, io, (admin) => set(admin, flags, io))
    })
}

async function withAdmin(
  { namesrv }: { readonly namesrv: string },
  io: ClientIo,
  work: (admin: Admin) => Promise<void>,
): Promise<void> {
  const admin = new Admin({ namesrv, clock: io.clock })
  try {
    await work(admin)
  } finally {
    admin.close()
  }
}

async function show(admin: Admin, { broker, json = false }: ShowFlags, io: ClientIo): Promise<void> {
  const modes = await groupModes(admin, broker)
  if (json) return print(io, `${JSON.stringify(modes)}\n`)
  const rows = modes.map(({ brokerName, flush, replication, isFlushing }) => [
    brokerName,
    `${flush}${flush === 'async' && isFlushing ? ' (flushing: no member can be spared)' : ''}`,
    replication,
  ])
  await print(io, table(['broker', 'flush', 'replication'], rows))
}

async function set(admin: Admin, { broker, flush, replication, json = false }: SetFlags, io: ClientIo): Promise<void> {
  const change = { ...(flush && { flush }), ...(replication && { replication }) }
  await setGroupMode(admin, broker, change)
  const [mode] = await groupModes(admin, broker)
  const now = { flush: mode?.flush ?? flush ?? '?', replication: mode?.replication ?? replication ?? '?' }
  const line = `${broker}: flush ${now.flush}, replication ${now.replication}`
  await tell(io, { json }, line, { done: 'mode set', broker, ...now })
}
