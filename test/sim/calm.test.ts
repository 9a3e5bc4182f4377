import { expect, test } from 'vitest'
import { untilWritten } from '../../sim/node/calm.ts'
import { clearAway, makeScene } from '../../sim/node/scene.ts'

test('clients that are closed while they wait for a group do not try without end and without time', async () => {
  const scene = makeScene({
    seed: 1,
    nodes: 3,
    modes: { flush: 'sync', replication: 'sync' },
    unlucky: 0,
    features: [],
  })
  // The group never forms: this is what a run that found its violation leaves behind.
  void untilWritten(scene)
  await scene.cluster.run(100)
  await clearAway(scene)
  expect(scene.messages.ledger.sent.size).toBeLessThan(1000)
})
