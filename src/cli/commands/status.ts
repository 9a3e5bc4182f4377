import type { Command } from 'commander'
import { Admin } from '../../client/admin/admin.ts'
import type { BrokerNode } from '../../client/admin/admin.ts'
import { textOf } from '../../client/core/java-json.ts'
import { lossesOf, lossText, type LossStatus } from './loss-text.ts'
import { bytesText, jsonOption, namesrvOption, print, processIo, table } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface StatusFlags {
  readonly namesrv: string
  readonly json?: boolean
}

interface FollowerStatus {
  readonly id: string
  readonly matchIndex: number
  readonly lagEntries: number
  readonly lagBytes: number
  readonly lastContactMs: number
}

interface NodeStatus {
  readonly broker: string
  readonly cluster: string
  readonly id: string | null
  readonly brokerId: number
  readonly pid: number | null
  readonly address: string
  readonly role: string
  readonly leader: string | null
  readonly mode: { readonly flush: string | null; readonly replication: string | null }
  readonly term: number | null
  readonly lastIndex: number | null
  readonly commitIndex: number | null
  readonly stableIndex: number | null
  readonly flushedOffset: number | null
  readonly bytesOnDisk: number | null
  /** False: the log may lack what the node acknowledged before its machine went down. */
  readonly trusted: boolean | null
  readonly clusterId: string | null
  readonly followers: readonly FollowerStatus[]
  readonly losses: readonly LossStatus[]
  readonly error: string | null
}

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('status')
    .summary('show broker groups, nodes, roles, terms and lags')
    .description(
      'Shows every broker group with its nodes: roles, mode, term, log, lag of the followers, disk. It tells and does not ' +
        'judge: exit code 0 also where a group has no leader. Whether sends are taken is asked by `raftmq probe`.',
    )
    .addOption(namesrvOption())
    .addOption(jsonOption())
    .action((flags: StatusFlags) => status(flags, io))
}

async function status({ namesrv, json = false }: StatusFlags, io: ClientIo): Promise<void> {
  const admin = new Admin({ namesrv, clock: io.clock })
  try {
    const nodes = (await admin.nodes()).map(nodeStatus)
    await print(io, json ? `${JSON.stringify({ namesrv, nodes })}\n` : describe(nodes))
  } finally {
    admin.close()
  }
}

function nodeStatus(node: BrokerNode): NodeStatus {
  const text = (key: string): string | null => node.runtime?.get(`raftmq.${key}`) ?? null
  const number = (key: string): number | null => {
    const value = text(key)
    return value === null || value === '' || Number.isNaN(Number(value)) ? null : Number(value)
  }
  const { brokerName, cluster, brokerId, address, error } = node
  return {
    broker: brokerName,
    cluster,
    id: text('nodeId'),
    brokerId,
    pid: number('pid'),
    address,
    role: text('role') ?? (error === undefined ? (brokerId === 0 ? 'master' : 'slave') : 'unreachable'),
    leader: text('leader'),
    mode: { flush: text('mode.flush'), replication: text('mode.replication') },
    term: number('term'),
    lastIndex: number('lastIndex'),
    commitIndex: number('commitIndex'),
    stableIndex: number('stableIndex'),
    flushedOffset: number('flushedOffset'),
    bytesOnDisk: number('bytesOnDisk'),
    trusted: text('trusted') === null ? null : text('trusted') === 'true',
    clusterId: text('clusterId'),
    followers: followersOf(text('followers')),
    losses: lossesOf(text('losses')),
    error: error ?? null,
  }
}

function followersOf(text: string | null): FollowerStatus[] {
  if (text === null) return []
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch {
    return []
  }
  if (!Array.isArray(rows)) return []
  return rows.flatMap((row: unknown) => {
    if (typeof row !== 'object' || row === null) return []
    const fields = new Map<string, unknown>(Object.entries(row))
    const number = (name: string): number => Number(fields.get(name) ?? 0)
    return [
      {
        id: textOf(fields.get('id')) ?? '',
        matchIndex: number('matchIndex'),
        lagEntries: number('lagEntries'),
        lagBytes: number('lagBytes'),
        lastContactMs: number('lastContactMs'),
      },
    ]
  })
}

function describe(nodes: readonly NodeStatus[]): string {
  if (nodes.length === 0) return 'no broker is registered\n'
  const groups = [...new Set(nodes.map((node) => node.broker))]
  return groups
    .map((broker) => {
      const answers = nodes.filter((node) => node.broker === broker)
      const leader = answers.find((node) => node.role === 'leader' || (node.brokerId === 0 && node.error === null))
      const members = answers.map((node) => ({ ...node, id: node.id ?? silentId(node, answers, leader) }))
      return `${heading(broker, leader)}\n${nodeTable(members, leader)}${troubles(members)}${lossText(leader)}`
    })
    .join('\n')
}

function heading(broker: string, leader: NodeStatus | undefined): string {
  if (leader === undefined) return `${broker}: no leader`
  const { flush, replication } = leader.mode
  const mode = flush === null ? '' : `, flush ${flush}, replication ${replication ?? '?'}`
  return `${broker} (${leader.cluster})${leader.term === null ? '' : `: term ${leader.term}`}${mode}`
}

/** The id of a node that does not tell it: of the leader's followers the one that nobody else is. */
function silentId(
  { brokerId }: NodeStatus,
  answers: readonly NodeStatus[],
  leader: NodeStatus | undefined,
): string | null {
  const free = (leader?.followers ?? []).map(({ id }) => id).filter((id) => !answers.some((node) => node.id === id))
  // A follower is registered under the number of its id and one more; a former leader still under 0.
  return free.find((id) => Number(id.slice(1)) + 1 === brokerId) ?? (free.length === 1 ? (free[0] ?? null) : null)
}

/** Why nodes gave no answer, below their table. */
function troubles(members: readonly NodeStatus[]): string {
  return members.flatMap((node) => (node.error === null ? [] : [`  ${nodeName(node)}: ${node.error}\n`])).join('')
}

function nodeName({ id, brokerId }: NodeStatus): string {
  return id ?? `brokerId ${brokerId}`
}

function nodeTable(members: readonly NodeStatus[], leader: NodeStatus | undefined): string {
  const head = [
    '  node',
    'pid',
    'address',
    'role',
    'last index',
    'committed index',
    'flushed bytes',
    'lag entries',
    'on disk',
  ]
  const rows = members.map((node) => {
    const follower = leader?.followers.find((row) => row.id === node.id)
    return [
      `  ${nodeName(node)}`,
      shown(node.pid),
      node.address,
      node.error === null
        ? `${node.role}${node.trusted === false ? ' (log in doubt)' : ''}`
        : heard(follower)
          ? 'no answer'
          : 'down',
      shown(node.lastIndex),
      shown(node.commitIndex),
      shown(node.flushedOffset),
      follower === undefined ? '–' : lagText(follower),
      node.bytesOnDisk === null ? '–' : bytesText(node.bytesOnDisk),
    ]
  })
  // Nodes the leader knows and no name server does.
  const missing = (leader?.followers ?? []).filter((row) => !members.some((node) => node.id === row.id))
  const absent = missing.map((row) => {
    const role = heard(row) ? 'not registered' : 'down'
    return [`  ${row.id}`, '–', '–', role, '–', '–', '–', lagText(row), '–']
  })
  return table(head, [...rows, ...absent])
}

/** A node the leader has not heard for so long is down, or cut off: heartbeats are answered many times a second. */
const SILENT_MS = 2_000

function heard(follower: FollowerStatus | undefined): boolean {
  return follower === undefined || follower.lastContactMs < SILENT_MS
}

function lagText({ lagEntries, lagBytes }: FollowerStatus): string {
  return lagEntries === 0 ? '0' : `${lagEntries} (${bytesText(lagBytes)})`
}

function shown(value: number | null): string {
  return value === null ? '–' : String(value)
}
