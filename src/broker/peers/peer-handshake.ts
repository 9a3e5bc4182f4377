/**
 * What two nodes tell each other before anything else. Pure: the decision is a table of reasons to refuse.
 */
import { COMMAND_VERSION, PEER_FORMAT_VERSION } from './peer-wire.ts'

export type Lane = 'raft' | 'service'

export interface Hello {
  readonly formatVersion: number
  readonly commandVersion: number
  readonly group: string
  /** Undefined for a node that belongs to no cluster yet. */
  readonly clusterId: string | undefined
  readonly from: string
  readonly to: string
  /** New at every process start; by it a leader forgets what a restarted peer had matched. */
  readonly incarnation: string
  readonly lane: Lane
  /** `host:port` where the sender's peers reach it; undefined where it listens for none. */
  readonly place: string | undefined
}

export interface Identity {
  readonly group: string
  readonly id: string
  readonly clusterId: string | undefined
  readonly incarnation: string
  readonly place: string | undefined
}

/** Who takes part, as far as a node knows. */
export interface KnownMembers {
  readonly ids: ReadonlySet<string>
  /** Out for good, by a membership that is committed. */
  readonly removed: ReadonlySet<string>
}

/** Why a node is not talked to. */
export interface Refusal {
  readonly reason: string
  /** Whether the sender was removed from the group: it need not try again, ever. */
  readonly isRemoved: boolean
}

export function helloOf(own: Identity, to: string, lane: Lane): Hello {
  return {
    formatVersion: PEER_FORMAT_VERSION,
    commandVersion: COMMAND_VERSION,
    group: own.group,
    clusterId: own.clusterId,
    from: own.id,
    to,
    incarnation: own.incarnation,
    lane,
    place: own.place,
  }
}

/** `value` as a Hello, or undefined for anything a peer of this family would not send. */
export function readHello(value: unknown): Hello | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const hello = value as Partial<Record<keyof Hello, unknown>> // Wire edge: every field is checked below.
  const { formatVersion, commandVersion, group, clusterId, from, to, incarnation, lane, place } = hello
  if (typeof formatVersion !== 'number' || typeof commandVersion !== 'number') return undefined
  if (typeof group !== 'string' || typeof from !== 'string' || typeof to !== 'string') return undefined
  if (typeof incarnation !== 'string' || (lane !== 'raft' && lane !== 'service')) return undefined
  if (clusterId !== undefined && clusterId !== null && typeof clusterId !== 'string') return undefined
  if (place !== undefined && place !== null && typeof place !== 'string') return undefined
  const known = { clusterId: clusterId ?? undefined, place: place ?? undefined }
  return { formatVersion, commandVersion, group, from, to, incarnation, lane, ...known }
}

type Reason = readonly [
  refuses: (own: Identity, hello: Hello, members: KnownMembers) => boolean,
  text: (own: Identity, hello: Hello) => string,
]

const reasons: readonly Reason[] = [
  [
    (_, hello) => hello.formatVersion !== PEER_FORMAT_VERSION,
    (_, hello) => `format version ${hello.formatVersion}, here ${PEER_FORMAT_VERSION}`,
  ],
  [(own, hello) => hello.group !== own.group, (own, hello) => `group ${hello.group}, here ${own.group}`],
  [(own, hello) => hello.to !== own.id, (own, hello) => `it looks for node ${hello.to}, this is ${own.id}`],
  [
    (own, hello) => own.clusterId !== undefined && hello.clusterId !== undefined && own.clusterId !== hello.clusterId,
    (own, hello) => `cluster ${hello.clusterId ?? '?'}, here ${own.clusterId ?? '?'}`,
  ],
  [isRemoved, (own, hello) => `node ${hello.from} was removed from ${own.group}`],
  [isStranger, (own, hello) => `node ${hello.from} is no member of ${own.group}`],
]

function isRemoved(_own: Identity, hello: Hello, { removed }: KnownMembers): boolean {
  return removed.has(hello.from)
}

/**
 * Belongs to no cluster and is not expected here. Who is of this cluster is heard whatever this node knows of the
 * members: it may be behind, and the sender its leader. A node of no cluster knows nothing better than its caller.
 */
function isStranger(own: Identity, hello: Hello, { ids }: KnownMembers): boolean {
  return own.clusterId !== undefined && hello.clusterId === undefined && !ids.has(hello.from)
}

/** Why `own` does not talk to `hello`'s sender, or undefined if it does. */
export function refusalOf(own: Identity, hello: Hello, members: KnownMembers): Refusal | undefined {
  const row = reasons.find(([refuses]) => refuses(own, hello, members))
  return row === undefined ? undefined : { reason: row[1](own, hello), isRemoved: row[0] === isRemoved }
}

/** `value` as a Refusal; whatever it is, it says no. */
export function readRefusal(value: unknown): Refusal {
  if (typeof value !== 'object' || value === null) return { reason: String(value), isRemoved: false }
  const reason = 'reason' in value ? String(value.reason) : 'no reason given'
  return { reason, isRemoved: 'isRemoved' in value && value.isRemoved === true }
}
