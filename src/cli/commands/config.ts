import { InvalidArgumentError } from 'commander'
import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { BrokerFigures } from '../../client/admin/broker-figures.ts'
import { NameServers } from '../../client/admin/name-servers.ts'
import { jsonOption, namesrvOption, print, processIo, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ConfigFlags {
  readonly namesrv: string
  /** Undefined: of the name servers. */
  readonly broker?: string
  readonly json?: boolean
}

type Pair = readonly [key: string, value: string]

export function register(program: Command, io: ClientIo = processIo()): void {
  const config = program
    .command('config')
    .summary('show or change the configuration of a broker group or of the name servers')
    .description('The configuration of a broker group, or without --broker that of the name servers (docs/options.md).')
  config
    .command('show')
    .description('show every key with its value')
    .addOption(namesrvOption())
    .option('--broker <name>', 'broker group, for example broker-a')
    .addOption(jsonOption())
    .action((flags: ConfigFlags) => show(flags, io))
  config
    .command('set')
    .description('change keys that can be changed while it runs; of a broker group at its leader')
    .argument('<key=value...>', 'what to change', pairs)
    .addOption(namesrvOption())
    .option('--broker <name>', 'broker group, for example broker-a')
    .addOption(jsonOption())
    .action((changes: readonly Pair[], flags: ConfigFlags) => set(changes, flags, io))
}

function pairs(text: string, before: readonly Pair[] | undefined): readonly Pair[] {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('It is key=value.')
  return [...(before ?? []), [text.slice(0, equals), text.slice(equals + 1)]]
}

function show({ broker, json = false, ...flags }: ConfigFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const config =
      broker === undefined ? await new NameServers(at).config() : await new BrokerFigures(at).config(broker)
    const rows = [...config].sort(([a], [b]) => (a < b ? -1 : 1))
    if (json) return print(io, `${JSON.stringify(Object.fromEntries(rows))}\n`)
    await print(io, rows.map(([key, value]) => `${key}=${value}\n`).join(''))
  })
}

function set(changes: readonly Pair[], { broker, ...flags }: ConfigFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    if (broker !== undefined) await new Admin(at).updateConfig(broker, Object.fromEntries(changes))
    else await new NameServers(at).updateConfig(changes.map(([key, value]) => `${key}=${value}\n`).join(''))
    const line = `${broker ?? 'name servers'}: ${changes.map(([key, value]) => `${key}=${value}`).join(', ')}`
    await tell(io, flags, line, { done: 'config set', broker: broker ?? null, changes: Object.fromEntries(changes) })
  })
}
