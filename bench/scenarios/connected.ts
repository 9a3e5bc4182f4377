/** Scenario `connected`: sends while many consumers of many groups are connected. */
import { Admin } from '../../src/client/index.ts'
import { burdenedMetrics, largestMegabytes, saturatingRates } from '../burden.ts'
import { startConsumers } from '../load/consumers-process.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'

const CONSUMERS = 2_000
const QUICK_CONSUMERS = 40
/** Of each group. */
const MEMBERS = 10
const QUIET = 'Quiet'

export const connected: Scenario = {
  name: 'connected',
  title:
    'sends of 128 B with 2,000 connected consumers in 200 groups, against the same without, 3 nodes, sync flush, sync replication',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const cluster = await NodeCluster.start({ nodes: 3, dir: bench.dir, flush: 'sync' })
  const admin = new Admin({ namesrv: cluster.namesrv })
  try {
    const without = await saturatingRates(bench, cluster, 'alone')
    const before = largestMegabytes(cluster)
    await admin.createTopic({ topic: QUIET, queues: MEMBERS })
    const consumers = bench.isQuick ? QUICK_CONSUMERS : CONSUMERS
    const { namesrv } = cluster
    const child = await startConsumers(bench, { namesrv, topic: QUIET, consumers, members: MEMBERS })
    const burdened = await saturatingRates(bench, cluster, 'connected')
    const megabytes = [before, largestMegabytes(cluster)] as const
    await bench.children.stop(child)
    const burden = `${consumers.toLocaleString('en-US')} consumers in ${consumers / MEMBERS} groups connected`
    return burdenedMetrics({ load: 'sends', burden, without, with: burdened, megabytes })
  } finally {
    admin.close()
    await cluster.close()
  }
}
