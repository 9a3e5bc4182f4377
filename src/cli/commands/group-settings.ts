/** What `raftmq group` changes of a group beside its place: its settings, and whether it pops or pulls. */
import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { GroupSettings } from '../../client/admin/group-settings.ts'
import { setRequestMode } from '../../client/admin/request-modes.ts'
import { integerArgument } from '../arguments.ts'
import { jsonOption, namesrvOption, print, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface Flags {
  readonly namesrv: string
  readonly broker?: string
  readonly json?: boolean
}

interface ModeFlags extends Flags {
  readonly topic: string
  readonly mode: 'pop' | 'pull'
  readonly sharers: number
}

export function addGroupSettings(group: Command, io: ClientIo): void {
  group
    .command('config <group>')
    .description('show what brokers keep of a group beside its offsets')
    .addOption(namesrvOption())
    .option('--broker <name>', 'of this broker group')
    .addOption(jsonOption())
    .action((name: string, flags: Flags) => show(name, flags, io))
  group
    .command('set')
    .description('change what brokers keep of a group, for example retryMaxTimes=3')
    .argument('<group>', 'group')
    .argument('<key=value...>', 'what to change', change)
    .addOption(namesrvOption())
    .option('--broker <name>', 'only in this broker group')
    .addOption(jsonOption())
    .action((name: string, changes: Changes, flags: Flags) => set(name, changes, flags, io))
  group
    .command('mode <group>')
    .description('have the members of a group pop a topic, or pull it')
    .addOption(namesrvOption())
    .requiredOption('-t, --topic <topic>', 'topic')
    .addOption(new Option('--mode <mode>', 'how').choices(['pop', 'pull']).makeOptionMandatory())
    .option('--sharers <n>', 'of pop: others that share the queues of one; 0: all of all', integerArgument(0, 1_024), 0)
    .option('--broker <name>', 'only in this broker group')
    .addOption(jsonOption())
    .action((name: string, flags: ModeFlags) => mode(name, flags, io))
}

type Changes = Readonly<Record<string, string>>

function change(text: string, before: Changes | undefined): Changes {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('It is key=value.')
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) }
}

function show(group: string, { broker, json = false, ...flags }: Flags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const config = await new GroupSettings(at).get(group, { broker })
    const rows = Object.entries(config).map(([key, value]): [string, unknown] => [
      key,
      value instanceof Map ? Object.fromEntries(value) : value,
    ])
    if (json) return print(io, `${JSON.stringify(Object.fromEntries(rows))}\n`)
    const lines = rows.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${shown(value)}\n`]))
    await print(io, lines.join(''))
  })
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function set(group: string, changes: Changes, { broker, ...flags }: Flags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    await new GroupSettings(at).change(group, changes, { broker })
    const words = Object.entries(changes).map(([key, value]) => `${key}=${value}`)
    await tell(io, flags, `${group}: ${words.join(', ')}`, { done: 'group set', group, changes })
  })
}

function mode(group: string, { topic, mode: how, sharers, broker, ...flags }: ModeFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const asked = how === 'pop' ? 'POP' : 'PULL'
    const brokers = await setRequestMode(at, { group, topic, mode: asked, sharers, broker })
    const line = `${group} ${how === 'pop' ? 'pops' : 'pulls'} ${topic} at ${brokers.join(', ')}`
    await tell(io, flags, line, { done: 'group mode', group, topic, mode: how, sharers, brokers })
  })
}
