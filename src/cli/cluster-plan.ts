/** A local cluster as data: who it is made of, where each node listens, and where its data is. Pure. */
import { defineErrors } from '../lib/errors.ts'

export const planErrors = defineErrors({
  CLUSTER_INVALID: {
    doc: 'A local cluster cannot be started as asked: an option is none, a number is out of its range, or the folder holds another one.',
    retriable: false,
  },
})

export interface ClusterRequest {
  readonly nodes: number
  readonly brokers: number
  readonly dir: string
  /** Of a new group; undefined: the files say nothing, and a new group is sync. */
  readonly flush: 'sync' | 'async' | undefined
  readonly replication: 'sync' | 'async' | undefined
  readonly clusterName: string
  /** Client port and peer port of node `node` of group `group`, both from 0. */
  readonly ports: (group: number, node: number) => NodePorts
}

export interface NodePorts {
  readonly client: number
  readonly peer: number
}

export interface NodePlan {
  readonly broker: string
  readonly id: string
  readonly ports: NodePorts
  readonly dir: string
  /** The node's `.properties`, but for the name servers. */
  readonly properties: ReadonlyMap<string, string>
}

export const HOST = '127.0.0.1'
export const MAX_NODES = 7
export const MAX_BROKERS = 26
const PORT_STEP_PER_NODE = 10
const PORT_STEP_PER_BROKER = 100

/** `raftmq up`: client ports `base + 10·node + 100·group`, the peer port is the next one. */
export function portsFrom(base: number): (group: number, node: number) => NodePorts {
  return (group, node) => {
    const client = base + PORT_STEP_PER_BROKER * group + PORT_STEP_PER_NODE * node
    return { client, peer: client + 1 }
  }
}

/** @throws `CLUSTER_INVALID` with what is allowed. */
export function planCluster(request: ClusterRequest): readonly NodePlan[] {
  const { nodes, brokers } = request
  if (!(nodes >= 1 && nodes <= MAX_NODES)) throw invalid(`a group has 1 to ${MAX_NODES} nodes, not ${nodes}`)
  if (!(brokers >= 1 && brokers <= MAX_BROKERS))
    throw invalid(`a cluster has 1 to ${MAX_BROKERS} groups, not ${brokers}`)
  return range(brokers).flatMap((group) => planGroup(request, group))
}

function planGroup(request: ClusterRequest, group: number): readonly NodePlan[] {
  const broker = `broker-${String.fromCharCode('a'.charCodeAt(0) + group)}`
  const members = range(request.nodes).map((node) => ({ id: `n${node}`, ports: request.ports(group, node) }))
  const highest = Math.max(...members.map(({ ports }) => Math.max(ports.client, ports.peer)))
  if (highest > 65_535) throw invalid(`port ${highest} of ${broker} does not exist; choose a lower --port`)
  const peers = members.map(({ id, ports }) => `${id}-${HOST}:${ports.peer}`).join(';')
  return members.map(({ id, ports }) => {
    const dir = joinPath(request.dir, broker, id)
    const properties = new Map([
      ['brokerClusterName', request.clusterName],
      ['brokerName', broker],
      ['brokerIP1', HOST],
      ['bindAddress', HOST],
      ['listenPort', String(ports.client)],
      ['storePathRootDir', joinPath(dir, 'store')],
      // Off in RocketMQ unless set; a local cluster is there to try things.
      ['enablePropertyFilter', 'true'],
    ])
    const { flush, replication } = request
    if (flush !== undefined) properties.set('flushDiskType', flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH')
    if (replication !== undefined) properties.set('raftReplication', replication)
    if (request.nodes > 1) {
      properties.set('enableDLegerCommitLog', 'true').set('dLegerGroup', broker)
      properties.set('dLegerPeers', peers).set('dLegerSelfId', id)
    } else properties.set('haListenPort', String(ports.peer))
    return { broker, id, ports, dir, properties }
  })
}

/**
 * One more node for the group that `members` are the plans of: its file names them and itself, the log will say more.
 * @throws `CLUSTER_INVALID` for a group of one, which is a master: it takes slaves, and nobody who votes.
 */
export function planJoining(members: readonly NodePlan[], id: string, ports: NodePorts): NodePlan {
  const [first] = members
  if (first?.properties.has('dLegerPeers') !== true) throw invalid('a group of one node cannot be joined')
  const peers = [...members, { id, ports }].map((member) => `${member.id}-${HOST}:${member.ports.peer}`).join(';')
  const dir = joinPath(first.dir.slice(0, -first.id.length - 1), id)
  const properties = new Map(first.properties)
    .set('listenPort', String(ports.client))
    .set('storePathRootDir', joinPath(dir, 'store'))
    .set('dLegerPeers', peers)
    .set('dLegerSelfId', id)
  return { broker: first.broker, id, ports, dir, properties }
}

/** @throws `CLUSTER_INVALID` when the name server would take the port of a node. */
export function checkNamesrvPort(plans: readonly NodePlan[], namesrvPort: number): void {
  const taken = plans.find(({ ports }) => ports.client === namesrvPort || ports.peer === namesrvPort)
  if (taken === undefined) return
  const whose = `${taken.broker} ${taken.id}`
  throw invalid(`port ${namesrvPort} of the name server is one of ${whose}: choose another --namesrv-port or --port`)
}

export interface ClusterShape {
  /** Nodes that each group was planned with, those that were removed since included. */
  readonly nodes: number
  readonly brokers: number
  /** Nodes that are out of their group for good, `broker-a/n1`: they are not started any more. */
  readonly removed: readonly string[]
}

export const nodeKey = ({ broker, id }: Pick<NodePlan, 'broker' | 'id'>): string => `${broker}/${id}`

/**
 * What to start in a folder that may hold a cluster already: its shape where nothing else is asked for. More nodes than
 * it has may be asked for: they join their groups.
 * @throws `CLUSTER_INVALID` when another shape is asked for: members are not lost by starting anew.
 */
export function chooseShape(
  asked: { readonly nodes?: number | undefined; readonly brokers?: number | undefined },
  found: ClusterShape | undefined,
  dir: string,
): ClusterShape {
  const shape = { nodes: asked.nodes ?? found?.nodes ?? 3, brokers: asked.brokers ?? found?.brokers ?? 1 }
  if (found === undefined) return { ...shape, removed: [] }
  const grows = shape.nodes > found.nodes && found.nodes > 1
  if (found.brokers !== shape.brokers || (shape.nodes !== found.nodes && !grows)) {
    const holds = `--nodes ${found.nodes} --brokers ${found.brokers}`
    const how = 'start it so (nodes leave with raftmq member remove), choose another --dir, or delete the folder'
    throw invalid(`${dir} holds a cluster of ${holds}: ${how}`)
  }
  return { ...shape, removed: found.removed }
}

function joinPath(...parts: readonly string[]): string {
  return parts.join('/')
}

const invalid = (message: string): Error => planErrors.create('CLUSTER_INVALID', message)
const range = (length: number): readonly number[] => Array.from({ length }, (_, index) => index)
