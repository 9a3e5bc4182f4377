import { expect, test } from 'vitest'
import { untilWritten } from '../../sim/node/calm.ts'
import { Cluster } from '../../sim/node/cluster.ts'
import { Workload } from '../../sim/node/workload.ts'

test('clients that are closed while they wait for a group do not try without end and without time', async () => {
  const cluster = new Cluster({ seed: 1, nodes: 3, modes: { flush: 'sync', replication: 'sync' } })
  const workload = new Workload(cluster)
  // The group never forms: this is what a run that found its violation leaves behind.
  void untilWritten(workload)
  await cluster.run(100)
  let isClosed = false
  void workload.close().then(() => {
    isClosed = true
  })
  await cluster.clear(() => isClosed)
  expect(isClosed).toBe(true)
  expect(workload.ledger.sent.size).toBeLessThan(1000)
})
