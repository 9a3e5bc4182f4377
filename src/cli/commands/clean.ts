import { Argument } from 'commander'
import type { Command } from 'commander'
import { clean, cleanable } from '../../client/admin/cleaning.ts'
import type { Cleaned } from '../../client/admin/cleaning.ts'
import { jsonOption, namesrvOption, processIo, tell, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface CleanFlags {
  readonly namesrv: string
  readonly broker?: string
  readonly cluster?: string
  readonly json?: boolean
}

const done: Readonly<Record<Cleaned, string>> = {
  log: 'what has expired is dropped',
  queues: 'no queue holds what the log has dropped',
  topics: 'no queue of a deleted topic is left',
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('clean')
    .summary('have broker groups drop now what has expired')
    .description(
      'Drops now what retention would drop at its hour: the log. Queues and topics leave nothing behind in groups of ' +
        'raftmq; brokers of RocketMQ in the same cluster may have something to clean.',
    )
    .addArgument(new Argument('<what>', 'what to clean').choices(cleanable))
    .addOption(namesrvOption())
    .option('--broker <name>', 'only this broker group')
    .option('--cluster <name>', 'only the broker groups of this cluster')
    .addOption(jsonOption())
    .action((what: Cleaned, { broker, cluster, ...flags }: CleanFlags) =>
      withConnection(flags, io, async (at) => {
        const brokers = await clean(at, what, { broker, cluster })
        await tell(io, flags, `${brokers.join(', ')}: ${done[what]}`, { done: 'clean', what, brokers })
      }),
    )
}
