import type { Command } from 'commander'
import { BrokerFigures } from '../../client/admin/broker-figures.ts'
import { jsonOption, namesrvOption, note, print, processIo, table, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ProducersFlags {
  readonly namesrv: string
  readonly group?: string
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('producers')
    .summary('list the producers that are connected')
    .description('The producers that are connected, by their groups.')
    .addOption(namesrvOption())
    .option('-g, --group <group>', 'only of this producer group')
    .addOption(jsonOption())
    .action(({ group, json = false, ...flags }: ProducersFlags) =>
      withConnection(flags, io, async (at) => {
        const all = await new BrokerFigures(at).producers()
        const found = all.filter((producer) => group === undefined || producer.group === group)
        if (json) return print(io, `${JSON.stringify(found)}\n`)
        if (found.length === 0) return note(io, 'no producer is connected')
        const rows = found.map((row) => [row.group, row.clientId, row.address, row.language, row.brokerName])
        await print(io, table(['group', 'client', 'address', 'language', 'broker'], rows))
      }),
    )
}
