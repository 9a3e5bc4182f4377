/** What `raftmq group` shows beyond offsets: what clients say of themselves, and how far all groups of a broker are. */
import type { Command } from 'commander'
import { brokerLags } from '../../client/admin/broker-lags.ts'
import type { QueueLag } from '../../client/admin/broker-lags.ts'
import { groupClients, subscribeAlike } from '../../client/admin/group-clients.ts'
import type { ClientState } from '../../client/admin/group-clients.ts'
import { integerArgument } from '../arguments.ts'
import { counted, jsonOption, namesrvOption, note, print, table, withConnection } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface ClientsFlags {
  readonly namesrv: string
  readonly client?: string
  readonly stacks?: boolean
  readonly json?: boolean
}

interface LagsFlags {
  readonly namesrv: string
  readonly broker: string
  readonly over: number
  readonly ordered?: boolean
  readonly json?: boolean
}

export function addGroupInspection(group: Command, io: ClientIo): void {
  group
    .command('clients <group>')
    .description('show what the clients of a group say of themselves: queues they hold, pace, subscriptions')
    .addOption(namesrvOption())
    .option('--client <id>', 'only this client')
    .option('--stacks', 'the stacks of their threads, too, where a client has any')
    .addOption(jsonOption())
    .action((name: string, flags: ClientsFlags) => clients(name, flags, io))
  group
    .command('lags')
    .description('show how far every group of a broker group is, queue by queue')
    .addOption(namesrvOption())
    .requiredOption('--broker <name>', 'broker group, for example broker-a')
    .option('--over <n>', 'only queues with more messages behind', integerArgument(0, Number.MAX_SAFE_INTEGER), 0)
    .option('--ordered', 'only ordered topics')
    .addOption(jsonOption())
    .action((flags: LagsFlags) => lags(flags, io))
}

function clients(
  group: string,
  { client: clientId, stacks: withStacks = false, json = false, ...flags }: ClientsFlags,
  io: ClientIo,
): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const found = await groupClients(at, { group, clientId, withStacks })
    if (json) return print(io, `${JSON.stringify(found.map(clientJson))}\n`)
    if (found.length === 0) return note(io, `nobody is connected as ${group}`)
    for (const client of found) await print(io, clientText(client))
    if (!subscribeAlike(found)) {
      note(io, 'the clients subscribe to different things: messages of some go to clients that do not want them')
    }
  })
}

function clientJson({ member, properties, queues, ...state }: ClientState): object {
  return {
    ...member,
    properties: Object.fromEntries(properties),
    queues: queues.map(({ queue, ...held }) => ({ ...queue, ...held })),
    ...state,
  }
}

function clientText(client: ClientState): string {
  const { member, properties, subscriptions, queues, paces, stacks, error } = client
  const head = `${member.clientId} at ${member.address} (${member.language})`
  if (error !== undefined) return `${head}: ${error}\n`
  const parts = [`${head}\n`, ...[...properties].map(([name, value]) => `  ${name}=${value}\n`)]
  for (const { topic, expression } of subscriptions) parts.push(`  subscribes to ${topic} (${expression})\n`)
  if (queues.length > 0) parts.push(indented(queueTable(client)))
  if (paces.length > 0) parts.push(indented(paceTable(client)))
  if (stacks !== undefined && stacks !== '') parts.push(`${stacks}\n`)
  return parts.join('')
}

function queueTable({ queues }: ClientState): string {
  const rows = queues.map(({ queue, commitOffset, waiting, isLocked, isPopped, lastPullMs, lastConsumeMs }) => [
    queue.topic,
    queue.brokerName,
    queue.queueId,
    isPopped ? '–' : commitOffset,
    waiting,
    isPopped ? 'popped' : isLocked ? 'locked' : 'pulled',
    timeText(lastPullMs),
    timeText(lastConsumeMs),
  ])
  return table(['topic', 'broker', 'queue', 'committed', 'waiting', 'how', 'last pull', 'last consumed'], rows)
}

function paceTable({ paces }: ClientState): string {
  const rows = paces.map((row) => [
    row.topic,
    row.pulledPerSecond.toFixed(1),
    row.pullMs.toFixed(1),
    row.consumedPerSecond.toFixed(1),
    row.consumeMs.toFixed(1),
    row.failedPerSecond.toFixed(1),
    row.failed,
  ])
  return table(['topic', 'pulled/s', 'pull ms', 'consumed/s', 'consume ms', 'failed/s', 'failed/h'], rows)
}

function lags({ broker, over, ordered = false, json = false, ...flags }: LagsFlags, io: ClientIo): Promise<void> {
  return withConnection(flags, io, async (at) => {
    const all = await brokerLags(at, broker, ordered)
    const found = all.filter(({ lag }) => over === 0 || lag > over)
    if (json) return print(io, `${JSON.stringify(found.map(({ queue, ...row }) => ({ ...queue, ...row })))}\n`)
    if (found.length === 0)
      return note(io, `no group is ${over === 0 ? 'known' : `more than ${over} behind`} at ${broker}`)
    await print(io, table(['group', 'topic', 'queue', 'consumed', 'stored', 'behind', 'last'], found.map(lagRow)))
    const behind = found.reduce((sum, { lag }) => sum + lag, 0)
    note(io, `${counted(behind, 'message')} behind`)
  })
}

function lagRow({ group, queue, consumerOffset, brokerOffset, lag, lastConsumedMs }: QueueLag): (string | number)[] {
  return [group, queue.topic, queue.queueId, consumerOffset, brokerOffset, lag, timeText(lastConsumedMs)]
}

function timeText(timestampMs: number): string {
  return timestampMs > 0 ? new Date(timestampMs).toISOString() : '–'
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
