import type { Command } from 'commander'
import { type LostFile, lostMessagesIn } from '../../broker/group/lost-folder.ts'
import { Producer } from '../../client/producer/producer.ts'
import { decodeProperties, PropertyName } from '../../message/properties.ts'
import type { StoredMessage } from '../../message/record.ts'
import { counted, jsonOption, namesrvOption, print, processIo, table, tell } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface LostFlags {
  readonly dir: string
  readonly json?: boolean
}

interface ResendFlags extends LostFlags {
  readonly namesrv: string
}

export function register(program: Command, io: ClientIo = processIo()): void {
  const lost = program
    .command('lost')
    .summary('list or resend messages that a former leader had to cut off its log')
    .description(
      'Messages that a node had acknowledged before they were replicated, and that another leader cut off: the node keeps ' +
        'them in the folder "lost" of its data (docs/durability.md).',
    )
  lost
    .command('list')
    .description('list them')
    .requiredOption('--dir <folder>', 'data folder of the node (storePathRootDir)')
    .addOption(jsonOption())
    .action((flags: LostFlags) => list(flags, io))
  lost
    .command('resend')
    .description('send them again, and mark them as resent')
    .requiredOption('--dir <folder>', 'data folder of the node (storePathRootDir)')
    .addOption(namesrvOption())
    .addOption(jsonOption())
    .action((flags: ResendFlags) => resend(flags, io))
}

async function list(flags: LostFlags, io: ClientIo): Promise<void> {
  const lost = await lostMessagesIn(flags.dir)
  const rows = (await lost.list()).flatMap((file) => file.messages.map((message) => rowOf(file, message)))
  if (flags.json === true) return print(io, `${JSON.stringify(rows)}\n`)
  if (rows.length === 0) return print(io, 'nothing was cut off here\n')
  await print(
    io,
    table(
      ['topic', 'queue', 'queueOffset', 'keys', 'stored', 'state'],
      rows.map((row) => [
        row.topic,
        row.queue,
        row.queueOffset,
        row.keys,
        row.stored,
        row.isResent ? 'resent' : 'lost',
      ]),
    ),
  )
}

interface Row {
  readonly topic: string
  readonly queue: number
  /** Where it was; by now another message may be there. */
  readonly queueOffset: number
  readonly keys: string
  readonly messageId: string
  readonly stored: string
  readonly isResent: boolean
}

function rowOf(
  { isResent }: LostFile,
  { topic, queueId, queueOffset, properties, storeTimestampMs }: StoredMessage,
): Row {
  const all = decodeProperties(properties)
  return {
    topic,
    queue: queueId,
    queueOffset,
    keys: all.get(PropertyName.KEYS) ?? '',
    messageId: all.get(PropertyName.UNIQ_KEY) ?? '',
    stored: new Date(storeTimestampMs).toISOString(),
    isResent,
  }
}

async function resend(flags: ResendFlags, io: ClientIo): Promise<void> {
  const lost = await lostMessagesIn(flags.dir)
  const files = (await lost.list()).filter(({ isResent }) => !isResent)
  const producer = new Producer({ namesrv: flags.namesrv, group: 'raftmq_lost', clock: io.clock })
  await producer.start()
  let count = 0
  try {
    for (const { name, messages } of files) {
      // In the order of the log. A file is marked when all of it is acknowledged: what fails is sent again, twice in part.
      for (const { topic, body, properties, flag } of messages) {
        const own = Object.fromEntries([...decodeProperties(properties)].filter(([key]) => !made.has(key)))
        await producer.send({ topic, body, flag, properties: own })
        count++
      }
      await lost.markResent(name)
    }
  } finally {
    await producer.close()
  }
  const line = `${counted(count, 'message')} sent again`
  await tell(io, flags, line, { done: 'lost resend', count })
}

/** Properties that the first send made for itself; the message's own id stays, so that consumers can tell it. */
const made: ReadonlySet<string> = new Set([
  PropertyName.WAIT,
  PropertyName.MSG_REGION,
  PropertyName.TRACE_ON,
  PropertyName.CLUSTER,
])
