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
}

export interface Identity {
  readonly group: string
  readonly id: string
  readonly clusterId: string | undefined
  readonly incarnation: string
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
  }
}

/** `value` as a Hello, or undefined for anything a peer of this family would not send. */
export function readHello(value: unknown): Hello | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const hello = value as Partial<Record<keyof Hello, unknown>> // Wire edge: every field is checked below.
  const { formatVersion, commandVersion, group, clusterId, from, to, incarnation, lane } = hello
  if (typeof formatVersion !== 'number' || typeof commandVersion !== 'number') return undefined
  if (typeof group !== 'string' || typeof from !== 'string' || typeof to !== 'string') return undefined
  if (typeof incarnation !== 'string' || (lane !== 'raft' && lane !== 'service')) return undefined
  if (clusterId !== undefined && clusterId !== null && typeof clusterId !== 'string') return undefined
  return { formatVersion, commandVersion, group, clusterId: clusterId ?? undefined, from, to, incarnation, lane }
}

type Reason = readonly [
  refuses: (own: Identity, hello: Hello, members: ReadonlySet<string>) => boolean,
  text: (own: Identity, hello: Hello) => string,
]

const reasons: readonly Reason[] = [
  [
    (_, hello) => hello.formatVersion !== PEER_FORMAT_VERSION,
    (_, hello) => `format version ${hello.formatVersion}, here ${PEER_FORMAT_VERSION}`,
  ],
  [(own, hello) => hello.group !== own.group, (own, hello) => `group ${hello.group}, here ${own.group}`],
  [(own, hello) => hello.to !== own.id, (own, hello) => `it looks for node ${hello.to}, this is ${own.id}`],
  [(_, hello, members) => !members.has(hello.from), (own, hello) => `node ${hello.from} is no member of ${own.group}`],
  [
    (own, hello) => own.clusterId !== undefined && hello.clusterId !== undefined && own.clusterId !== hello.clusterId,
    (own, hello) => `cluster ${hello.clusterId ?? '?'}, here ${own.clusterId ?? '?'}`,
  ],
]

/** Why `own` does not talk to `hello`'s sender, or undefined if it does. */
export function refusalOf(own: Identity, hello: Hello, members: ReadonlySet<string>): string | undefined {
  return reasons.find(([refuses]) => refuses(own, hello, members))?.[1](own, hello)
}
