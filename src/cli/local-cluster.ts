/** The local cluster of `raftmq up`: a name server in this process, each node in a process of its own. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import type { Namesrv } from '../namesrv/namesrv.ts'
import { readShape, writeNodeProperties, writeShape } from './cluster-folder.ts'
import {
  checkNamesrvPort,
  chooseShape,
  HOST,
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
  readonly flush: 'sync' | 'async'
  readonly replication: 'sync' | 'async'
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
  const plans = planCluster({
    ...shape,
    dir,
    flush: request.flush,
    replication: request.replication,
    clusterName: 'DefaultCluster',
    ports: portsFrom(request.port),
  })
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
    supervisor = supervise({ nodes: plans, configOf, restart: request.restart, verbose: request.verbose, ...need })
  } catch (error) {
    await release(namesrv, lock)
    throw error
  }
  return {
    dir,
    shape,
    namesrv: address,
    get nodes() {
      return supervisor.nodes
    },
    ready: supervisor.ready,
    async stop() {
      await supervisor.stop()
      await release(namesrv, lock)
    },
    kill: () => supervisor.kill(),
  }
}

async function release(namesrv: Namesrv | undefined, lock: FolderLock): Promise<void> {
  await namesrv?.close()
  await lock.release()
}
