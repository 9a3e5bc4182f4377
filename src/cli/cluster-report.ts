/** What `raftmq up` says when the cluster is ready. Pure. */
import type { Mode } from '../broker/group/group-mode.ts'
import { HOST } from './cluster-plan.ts'
import type { LocalCluster } from './local-cluster.ts'

type Described = Pick<LocalCluster, 'namesrv' | 'nodes' | 'dir' | 'shape'>

/** The one line of `--json`. */
export function describeClusterJson({ namesrv, nodes }: Described): string {
  return JSON.stringify({
    namesrv,
    groups: modesOf(nodes).map(({ broker, mode }) => ({ broker, ...mode })),
    nodes: nodes.map(({ plan, pid, status }) => ({
      broker: plan.broker,
      id: plan.id,
      pid,
      address: `${HOST}:${plan.ports.client}`,
      role: status?.role ?? 'follower',
    })),
  })
}

/** The mode of each group, as the log of its leader says. */
function modesOf(nodes: Described['nodes']): readonly { readonly broker: string; readonly mode: Mode }[] {
  return nodes.flatMap(({ plan: { broker }, status }) =>
    status?.role === 'leader' && status.mode !== null ? [{ broker, mode: status.mode }] : [],
  )
}

const modeText = ({ flush, replication }: Mode): string => `${flush} flush, ${replication} replication`

/** One warning for each group whose log says another mode than was asked for: the log wins (docs/durability.md). */
export function overruledBy({ namesrv, nodes }: Described, asked: Partial<Mode>): readonly string[] {
  return modesOf(nodes).flatMap(({ broker, mode }) => {
    const options = (['flush', 'replication'] as const)
      .filter((key) => asked[key] !== undefined && asked[key] !== mode[key])
      .map((key) => `--${key} ${asked[key]}`)
      .join(' ')
    if (options === '') return []
    const says = `${options} is for new groups, and the log of ${broker} says ${modeText(mode)}`
    return [`${says}. To change it: npx raftmq mode set -n ${namesrv} --broker ${broker} ${options}`]
  })
}

export function describeCluster({ namesrv, nodes, dir, shape }: Described): string {
  const rows = nodes.map(({ plan, pid, status }) => {
    const address = `${HOST}:${plan.ports.client}`
    return `  ${plan.broker} ${plan.id}  ${address}  pid ${String(pid).padEnd(7)}  ${status?.role ?? ''}`
  })
  const leader = nodes.find(({ status }) => status?.role === 'leader')
  const raftmq = 'npx raftmq'
  const groups = shape.brokers === 1 ? 'one broker group' : `${shape.brokers} broker groups`
  const each = shape.nodes === 1 ? 'a single node' : `${shape.nodes} nodes`
  const kill = `  kill -9 ${leader?.pid ?? ''}   # the leader: another node takes over, this one is restarted`
  const modes = modesOf(nodes)
  const texts = new Set(modes.map(({ mode }) => modeText(mode)))
  const ofEach = modes.map(({ broker, mode }) => `${broker} ${modeText(mode)}`)
  return [
    `A name server and ${groups} of ${each}: ${(texts.size === 1 ? [...texts] : ofEach).join('; ')}.`,
    '',
    `  name server  ${namesrv}`,
    ...rows,
    '',
    `Data  ${dir}  (what a node says: <broker>/<id>/node.log)`,
    '',
    'Next, in another terminal in this folder:',
    `  echo hello | ${raftmq} produce -n ${namesrv} -t demo`,
    `  ${raftmq} consume -n ${namesrv} -t demo -g demo-readers --from first`,
    `  ${raftmq} status -n ${namesrv}`,
    ...(shape.nodes > 1 ? [kill] : []),
    '',
    'Ctrl-C stops it. Started again, it has its data.',
    '',
  ].join('\n')
}
