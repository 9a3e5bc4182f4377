import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import { jsonOption, namesrvOption, processIo, tell } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface TransferFlags {
  readonly namesrv: string
  readonly broker: string
  readonly to: string
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('transfer-leader')
    .summary('move the leadership of a broker group to another node')
    .description('Moves the leadership of a broker group to another of its nodes, without a failed request.')
    .addOption(namesrvOption())
    .requiredOption('--broker <name>', 'broker group, for example broker-a')
    .requiredOption('--to <node>', 'the node that shall lead, for example n1')
    .addOption(jsonOption())
    .action((flags: TransferFlags) => transfer(flags, io))
}

async function transfer({ namesrv, broker, to, json = false }: TransferFlags, io: ClientIo): Promise<void> {
  const admin = new Admin({ namesrv, clock: io.clock })
  try {
    const startMs = io.clock.monotonicMs()
    await admin.transferLeader({ broker, to })
    const tookMs = Math.round(io.clock.monotonicMs() - startMs)
    await tell(io, { json }, `${broker}: ${to} leads (${tookMs} ms)`, { done: 'transfer-leader', broker, to, tookMs })
  } finally {
    admin.close()
  }
}
