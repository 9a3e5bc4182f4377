/** What `raftmq up` says when the cluster is ready. Pure. */
import { HOST } from './cluster-plan.ts'
import type { LocalCluster } from './local-cluster.ts'

type Described = Pick<LocalCluster, 'namesrv' | 'nodes' | 'dir' | 'shape'>

/** The one line of `--json`. */
export function describeClusterJson({ namesrv, nodes }: Described): string {
  return JSON.stringify({
    namesrv,
    nodes: nodes.map(({ plan, pid, status }) => ({
      broker: plan.broker,
      id: plan.id,
      pid,
      address: `${HOST}:${plan.ports.client}`,
      role: status?.role ?? 'follower',
    })),
  })
}

export interface Modes {
  readonly flush: string
  readonly replication: string
}

export function describeCluster({ namesrv, nodes, dir, shape }: Described, modes: Modes): string {
  const rows = nodes.map(({ plan, pid, status }) => {
    const address = `${HOST}:${plan.ports.client}`
    return `  ${plan.broker} ${plan.id}  ${address}  pid ${String(pid).padEnd(7)}  ${status?.role ?? ''}`
  })
  const leader = nodes.find(({ status }) => status?.role === 'leader')
  const raftmq = 'npx raftmq'
  const groups = shape.brokers === 1 ? 'one broker group' : `${shape.brokers} broker groups`
  const each = shape.nodes === 1 ? 'a single node' : `${shape.nodes} nodes`
  const kill = `  kill -9 ${leader?.pid ?? ''}   # the leader: another node takes over, this one is restarted`
  return [
    `A name server and ${groups} of ${each}: ${modes.flush} flush, ${modes.replication} replication.`,
    '',
    `  name server  ${namesrv}`,
    ...rows,
    '',
    `Data  ${dir}  (what a node says: <broker>/<id>/node.log)`,
    '',
    'Next, in another terminal:',
    `  echo hello | ${raftmq} produce -n ${namesrv} -t demo`,
    `  ${raftmq} consume -n ${namesrv} -t demo -g demo-readers --from first`,
    `  ${raftmq} status -n ${namesrv}`,
    ...(shape.nodes > 1 ? [kill] : []),
    '',
    'Ctrl-C stops it. Started again, it has its data.',
    '',
  ].join('\n')
}
