/** The local cluster of `raftmq up`: a name server in this process, each node in a process of its own. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { Namesrv } from '../namesrv/namesrv.ts'
import { readShape, writeNodeProperties, writeShape } from './cluster-folder.ts'
import { Joining } from './join-members.ts'
import {
  checkNamesrvPort,
  chooseShape,
  HOST,
  nodeKey,
  planCluster,
  portsFrom,
  type ClusterShape,
  type NodePlan,
} from './cluster-plan.ts'
import { checkPortsAreFree } from './free-ports.ts'
import { lockFolder, type FolderLock } from './folder-lock.ts'
import { localNamesrvOptions, startNamesrv } from './start-namesrv.ts'
import { makeFolder } from './make-folder.ts'
import { supervise, type SupervisedNode, type Supervisor } from './supervisor.ts'

export interface LocalClusterRequest {
  /** What is not said is as in the folder, else three nodes and one group. */
  readonly nodes: number | undefined
  readonly brokers: number | undefined
  readonly dir: string
  readonly namesrvPort: number
  readonly port: number
  /** Of groups that are new; what is not said is sync. */
  readonly flush: 'sync' | 'async' | undefined
  readonly replication: 'sync' | 'async' | undefined
  readonly restart: boolean
  readonly verbose: boolean
}

export interface LocalCluster {
  readonly dir: string
  readonly shape: ClusterShape
  readonly namesrv: string
  readonly nodes: readonly SupervisedNode[]
  /** See `Supervisor.ready`. */
  readonly ready: Promise<void>
  stop(): Promise<void>
  kill(): void
}

/** @throws `CLUSTER_INVALID`, `FOLDER_IN_USE`, or the system's error (a port in use, a folder that cannot be written). */
export async function startLocalCluster(
  request: LocalClusterRequest,
  need: { readonly clock: Clock; readonly say: (line: string) => void },
): Promise<LocalCluster> {
  const dir = resolve(request.dir)
  const shape = chooseShape(request, readShape(dir), request.dir)
  const planned = planCluster({
    ...shape,
    dir,
    flush: request.flush,
    replication: request.replication,
    clusterName: 'DefaultCluster',
    ports: portsFrom(request.port),
  })
  const plans = planned.filter((plan) => !shape.removed.includes(nodeKey(plan)))
  checkNamesrvPort(plans, request.namesrvPort)
  // A start that fails leaves no folder behind; in one that is there already, who works on it is the better answer.
  const isNew = !existsSync(dir)
  if (isNew) await checkPortsAreFree(plans, request.namesrvPort)
  makeFolder(dir)
  const lock = await lockFolder(dir)
  let namesrv: Namesrv | undefined
  let supervisor: Supervisor
  const address = `${HOST}:${request.namesrvPort}`
  try {
    if (!isNew) await checkPortsAreFree(plans, request.namesrvPort)
    namesrv = await startNamesrv(localNamesrvOptions(dir, request.namesrvPort), silentLog)
    writeShape(dir, shape)
    const configOf = (plan: NodePlan): string => writeNodeProperties(plan, address)
    const { restart, verbose } = request
    const gone = [...shape.removed]
    const removed = (plan: NodePlan): void => {
      gone.push(nodeKey(plan))
      writeShape(dir, { ...shape, removed: gone })
    }
    supervisor = supervise({ nodes: plans, configOf, restart, verbose, removed, ...need })
  } catch (error) {
    await release(namesrv, lock)
    throw error
  }
  // Nodes that a folder has more than its groups have members: they were asked for now, or before a crash.
  const joining = isNew ? undefined : new Joining({ plans, namesrv: address, ...need })
  return {
    dir,
    shape,
    namesrv: address,
    get nodes() {
      return supervisor.nodes
    },
    ready: supervisor.ready.then(() => joining?.done),
    async stop() {
      joining?.stop()
      await supervisor.stop()
      await release(namesrv, lock)
    },
    kill() {
      joining?.stop()
      supervisor.kill()
    },
  }
}

async function release(namesrv: Namesrv | undefined, lock: FolderLock): Promise<void> {
  await namesrv?.close()
  await lock.release()
}
