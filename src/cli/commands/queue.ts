import type { Command } from 'commander'
import { queueUnits } from '../../client/admin/queue-units.ts'
import { integerArgument } from '../arguments.ts'
import { jsonOption, namesrvOption, note, print, processIo, table, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface QueueFlags {
  readonly namesrv: string
  readonly topic: string
  readonly broker: string
  readonly queue: number
  readonly from: number
  readonly count: number
  readonly json?: boolean
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('queue')
    .summary('show where in the log the messages of a queue are')
    .description('The units of a queue as its leader has them: where in the CommitLog each message is, and how long.')
    .addOption(namesrvOption())
    .requiredOption('-t, --topic <topic>', 'topic')
    .requiredOption('--broker <name>', 'broker group, for example broker-a')
    .requiredOption('--queue <n>', 'queue of the topic there', integerArgument(0, 65_535))
    .option('--from <n>', 'first queueOffset', integerArgument(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--count <n>', 'at most so many', integerArgument(1, 10_000), 10)
    .addOption(jsonOption())
    .action((flags: QueueFlags) => show(flags, io))
}

function show({ topic, broker, queue: queueId, from, count, json = false, ...flags }: QueueFlags, io: ClientIo) {
  return withConnection(flags, io, async (at) => {
    const queue = { topic, brokerName: broker, queueId }
    const found = await queueUnits(at, { queue, from, count })
    if (json) return print(io, `${JSON.stringify({ ...queue, ...found })}\n`)
    const { minQueueOffset, maxQueueOffset, units } = found
    note(io, `${topic}/${queueId} at ${broker} holds ${minQueueOffset} up to ${maxQueueOffset}`)
    if (units.length === 0) return note(io, `nothing is at ${from}`)
    const rows = units.map((unit) => [unit.queueOffset, unit.offset, unit.bytes, unit.tagsCode])
    await print(io, table(['queue offset', 'offset', 'bytes', 'tags code'], rows))
  })
}
