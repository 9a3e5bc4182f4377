/** A local cluster as data: who it is made of, where each node listens, and where its data is. Pure. */
import { defineErrors } from '../lib/errors.ts'

export const planErrors = defineErrors({
  CLUSTER_INVALID: {
    doc: 'A local cluster cannot be started as asked: a number is out of its range, or the folder holds another one.',
    retriable: false,
  },
})

export interface ClusterRequest {
  readonly nodes: number
  readonly brokers: number
  readonly dir: string
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
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
      ['flushDiskType', request.flush === 'sync' ? 'SYNC_FLUSH' : 'ASYNC_FLUSH'],
      ['raftReplication', request.replication],
      // Off in RocketMQ unless set; a local cluster is there to try things.
      ['enablePropertyFilter', 'true'],
    ])
    if (request.nodes > 1) {
      properties.set('enableDLegerCommitLog', 'true').set('dLegerGroup', broker)
      properties.set('dLegerPeers', peers).set('dLegerSelfId', id)
    }
    return { broker, id, ports, dir, properties }
  })
}

/** @throws `CLUSTER_INVALID` when the name server would take the port of a node. */
export function checkNamesrvPort(plans: readonly NodePlan[], namesrvPort: number): void {
  const taken = plans.find(({ ports }) => ports.client === namesrvPort || ports.peer === namesrvPort)
  if (taken === undefined) return
  const whose = `${taken.broker} ${taken.id}`
  throw invalid(`port ${namesrvPort} of the name server is one of ${whose}: choose another --namesrv-port or --port`)
}

export interface ClusterShape {
  readonly nodes: number
  readonly brokers: number
}

/**
 * What to start in a folder that may hold a cluster already: its shape where nothing else is asked for.
 * @throws `CLUSTER_INVALID` when another shape is asked for: members are not added or lost by starting anew.
 */
export function chooseShape(
  asked: { readonly nodes?: number | undefined; readonly brokers?: number | undefined },
  found: ClusterShape | undefined,
  dir: string,
): ClusterShape {
  const shape = { nodes: asked.nodes ?? found?.nodes ?? 3, brokers: asked.brokers ?? found?.brokers ?? 1 }
  if (found !== undefined && (found.nodes !== shape.nodes || found.brokers !== shape.brokers)) {
    const holds = `--nodes ${found.nodes} --brokers ${found.brokers}`
    throw invalid(`${dir} holds a cluster of ${holds}: start it so, choose another --dir, or delete the folder`)
  }
  return shape
}

function joinPath(...parts: readonly string[]): string {
  return parts.join('/')
}

const invalid = (message: string): Error => planErrors.create('CLUSTER_INVALID', message)
const range = (length: number): readonly number[] => Array.from({ length }, (_, index) => index)
