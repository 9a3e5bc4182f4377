import type { Command } from 'commander'
import { NameServers } from '../../client/admin/name-servers.ts'
import { counted, jsonOption, namesrvOption, processIo, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface PermissionFlags {
  readonly namesrv: string
  readonly broker: string
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  const permission = program
    .command('permission')
    .summary('take a broker group out of the routes of producers, or put it back')
    .description('Whether name servers tell producers to write to a broker group; consumers go on reading it.')
  const command = (name: string, description: string, isAllowed: boolean): Command =>
    permission
      .command(name)
      .description(description)
      .addOption(namesrvOption())
      .requiredOption('--broker <name>', 'broker group, for example broker-a')
      .addOption(jsonOption())
      .action(({ broker, ...flags }: PermissionFlags) =>
        withConnection(flags, io, async (at) => {
          const topics = await new NameServers(at).allowWrites(broker, isAllowed)
          const line = `${broker}: ${isAllowed ? 'written to again' : 'not written to any more'}, ${counted(topics, 'topic')}`
          await tell(io, flags, line, { done: `permission ${name}`, broker, topics })
        }),
      )
  command('wipe', 'producers write elsewhere from now on', false)
  command('restore', 'producers write to it again', true)
}
