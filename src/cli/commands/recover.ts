import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import type { BrokerNode } from '../../client/admin/admin.ts'
import { errorMessage } from '../../lib/errors.ts'
import { jsonOption, namesrvOption, note, processIo, table, tell } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface RecoverFlags {
  readonly namesrv: string
  readonly broker: string
  readonly unsafe?: boolean
  readonly confirm?: boolean
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('recover')
    .summary('let a group lead again whose logs are in doubt and whose missing node never comes back')
    .description(
      'After a loss of power in async flush a group waits until all its voters are back. If one never will be, this lets ' +
        'the others elect whose log is the best of theirs. What only the missing node still has is lost ' +
        '(docs/durability.md).',
    )
    .addOption(namesrvOption())
    .requiredOption('--broker <name>', 'broker group, for example broker-a')
    .option('--unsafe', 'required: acknowledged messages may be lost')
    .option('--confirm', 'do it; without it, only what would be done is said')
    .addOption(jsonOption())
    .action((flags: RecoverFlags, command: Command) => recover(flags, command, io))
}

async function recover(flags: RecoverFlags, command: Command, io: ClientIo): Promise<void> {
  const { namesrv, broker, unsafe = false, confirm = false } = flags
  if (!unsafe) command.error('error: acknowledged messages may be lost: say --unsafe')
  const admin = new Admin({ namesrv, clock: io.clock })
  try {
    const nodes = (await admin.nodes()).filter(({ brokerName }) => brokerName === broker)
    const answering = nodes.filter(({ runtime }) => runtime !== undefined)
    const leader = answering.find((node) => valueOf(node, 'role').startsWith('leader'))
    if (answering.length === 0) command.error(`error: no node of ${broker} answers`)
    if (leader !== undefined) command.error(`error: ${valueOf(leader, 'nodeId')} leads ${broker}: nothing to recover`)
    const voters = valueOf(answering[0], 'voters').split(',')
    const missing = voters.filter((id) => !answering.some((node) => valueOf(node, 'nodeId') === id))
    note(io, describe(answering, voters, missing))
    if (!confirm) return note(io, 'Nothing was changed. To go on without what is missing: add --confirm')
    const untold = await tellAll(admin, answering)
    const ids = answering.map((node) => valueOf(node, 'nodeId')).filter((id) => !untold.has(id))
    const line =
      untold.size === 0
        ? `${ids.join(', ')}: the best of these logs is elected now`
        : `told: ${ids.length === 0 ? 'nobody' : ids.join(', ')}`
    await tell(io, flags, line, { done: 'recover', broker, nodes: ids })
    if (untold.size === 0) return
    const reasons = [...untold].map(([id, reason]) => `${id} was not told (${reason})`)
    command.error(`error: ${reasons.join('; ')}: if nobody leads ${broker} soon, say it again`)
  } finally {
    admin.close()
  }
}

/** Tells every one of them, whichever does not answer. Resolves with those that did not: id → why. */
async function tellAll(admin: Admin, nodes: readonly BrokerNode[]): Promise<ReadonlyMap<string, string>> {
  const untold = new Map<string, string>()
  const tellOne = async (node: BrokerNode): Promise<void> => {
    try {
      await admin.acceptDoubt(node.address)
    } catch (error) {
      untold.set(valueOf(node, 'nodeId'), errorMessage(error))
    }
  }
  await Promise.all(nodes.map(tellOne))
  return untold
}

function describe(answering: readonly BrokerNode[], voters: readonly string[], missing: readonly string[]): string {
  const rows = answering.map((node) => [
    valueOf(node, 'nodeId'),
    valueOf(node, 'trusted') === 'true' ? 'whole' : 'in doubt',
    valueOf(node, 'term'),
    valueOf(node, 'lastIndex'),
  ])
  const text = table(['node', 'log', 'term', 'last index'], rows)
  if (missing.length === 0) {
    return (
      `${text}All of ${voters.join(', ')} answer: the group elects by itself, unless the end of a log has rotted.\n` +
      'LOST if you go on then: whatever that log alone has.'
    )
  }
  return (
    `${text}${missing.join(', ')} of ${voters.join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing.\n` +
    'LOST if you go on: whatever was acknowledged and is in no log above, up to what maxUnflushedBytes and ' +
    'maxUnflushedMs allow on each node in doubt; consumers may have seen it already.'
  )
}

function valueOf(node: BrokerNode | undefined, key: string): string {
  return node?.runtime?.get(`raftmq.${key}`) ?? ''
}
