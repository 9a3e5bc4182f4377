/** Processes that die, stand still, restart, or lose their power. */
import { Admin } from '../../src/client/index.ts'
import { present } from '../../src/lib/assert.ts'
import type { FaultyNode } from '../../src/cli/experiments/faulty-node.ts'
import type { Heal, Scenario, Scene } from '../scenario.ts'

const restart = (nodes: readonly FaultyNode[]): Heal => {
  return () => {
    for (const node of nodes) node.start()
    return Promise.resolve()
  }
}

async function kill(scene: Scene, nodes: readonly FaultyNode[]): Promise<Heal> {
  scene.note(`kill -9 ${nodes.map(({ id }) => id).join(' ')}`)
  await Promise.all(nodes.map((node) => node.kill()))
  return restart(nodes)
}

async function pause(scene: Scene, node: FaultyNode, ms: number): Promise<Heal> {
  const pid = present(node.pid, 'a node that runs')
  scene.note(`SIGSTOP ${node.id} for ${ms} ms`)
  process.kill(pid, 'SIGSTOP')
  await scene.sleep(ms)
  process.kill(pid, 'SIGCONT')
  return () => Promise.resolve()
}

const pick = <T>(scene: Scene, from: readonly T[]): T =>
  present(from[scene.random.integer(0, from.length - 1)], 'one of some')

const HOUR_MS = 3_600_000

const paused = (ms: number): Scenario => ({
  name: `pause-leader-${ms / 1000}s`,
  family: 'pause',
  number: '20',
  hypothesis: `A leader that stood still for ${ms / 1000} s acknowledges nothing that the group does not hold, and steps down when it wakes.`,
  fault: async (scene) => pause(scene, await scene.cluster.led(), ms),
  holdMs: 0,
  recoverWithinMs: 20_000,
  maxGapMs: 3_000,
})

export const processScenarios: readonly Scenario[] = [
  {
    name: 'kill-leader',
    family: 'kill',
    number: '5, 12',
    hypothesis: 'A killed leader loses nothing acknowledged, no topic and no offset; clients wait less than 2 s.',
    fault: async (scene) => kill(scene, [await scene.cluster.led()]),
    holdMs: 1_000,
    recoverWithinMs: 20_000,
    maxGapMs: 2_000,
  },
  {
    name: 'kill-follower',
    family: 'kill',
    number: '5',
    hypothesis: 'A killed follower is not noticed by clients.',
    fault: (scene) => kill(scene, [pick(scene, scene.cluster.followers)]),
    holdMs: 1_000,
    recoverWithinMs: 20_000,
    maxGapMs: 1_000,
  },
  {
    name: 'kill-majority',
    family: 'kill',
    number: '5',
    hypothesis: 'With the majority killed nothing is acknowledged; once it is back everything acknowledged is there.',
    fault: async (scene) => kill(scene, [await scene.cluster.led(), pick(scene, scene.cluster.followers)]),
    holdMs: 1_500,
    recoverWithinMs: 30_000,
  },
  {
    name: 'kill-all',
    family: 'kill',
    number: '5',
    hypothesis: 'All processes killed at once lose nothing acknowledged, in every mode of flush.',
    fault: (scene) => kill(scene, scene.cluster.nodes),
    holdMs: 500,
    recoverWithinMs: 30_000,
    mayLose: ({ replication }) => replication === 'async',
  },
  {
    name: 'kill-soon-after-election',
    family: 'kill',
    number: '5, 32',
    hypothesis: 'A leader that dies right after it was elected leaves a group that elects again and loses nothing.',
    fault: async (scene) => {
      const first = await scene.cluster.led()
      await kill(scene, [first])
      const second = await scene.cluster.led(10_000)
      first.start()
      await scene.sleep(scene.random.integer(0, 300))
      return kill(scene, [second])
    },
    holdMs: 500,
    recoverWithinMs: 30_000,
    maxGapMs: 5_000,
  },
  paused(500),
  paused(5_000),
  paused(30_000),
  {
    name: 'pause-follower-5s',
    family: 'pause',
    number: '21',
    hypothesis: 'A follower that stands still for 5 s is not noticed, and catches up.',
    fault: (scene) => pause(scene, pick(scene, scene.cluster.followers), 5_000),
    holdMs: 0,
    recoverWithinMs: 20_000,
    maxGapMs: 1_000,
  },
  {
    name: 'rolling-restart',
    family: 'restart',
    number: '33',
    hypothesis: 'All nodes restarted cleanly, one after the other, fail no request.',
    fault: async (scene) => {
      for (const node of scene.cluster.nodes) {
        scene.note(`stop ${node.id}`)
        await node.stop()
        node.start()
        await scene.cluster.serving()
      }
      return () => Promise.resolve()
    },
    holdMs: 0,
    recoverWithinMs: 30_000,
    maxGapMs: 1_500,
  },
  {
    name: 'restart-any-order',
    family: 'restart',
    number: '33',
    hypothesis: 'A group that was stopped comes back whole, in whatever order its nodes start.',
    fault: async (scene) => {
      scene.note('stop all')
      await Promise.all(scene.cluster.nodes.map((node) => node.stop()))
      const inOrder = [...scene.cluster.nodes].sort(() => scene.random.next() - 0.5)
      return async () => {
        for (const node of inOrder) {
          scene.note(`start ${node.id}`)
          node.start()
          await scene.sleep(scene.random.integer(0, 800))
        }
      }
    },
    holdMs: 200,
    recoverWithinMs: 30_000,
  },
  {
    name: 'transfer-race',
    family: 'restart',
    number: '32',
    hypothesis: 'A hand-over whose target dies ends within an election timeout, and loses nothing.',
    fault: async (scene) => {
      const target = pick(scene, scene.cluster.followers)
      const admin = new Admin({ namesrv: scene.cluster.namesrv })
      scene.note(`transfer to ${target.id}, which dies`)
      const asked = admin.transferLeader({ broker: target.plan.broker, to: target.id }).catch(() => undefined)
      await scene.sleep(scene.random.integer(0, 20))
      const heal = await kill(scene, [target])
      await asked
      admin.close()
      return heal
    },
    holdMs: 500,
    recoverWithinMs: 20_000,
    maxGapMs: 3_000,
  },
  {
    name: 'power-all',
    family: 'power',
    number: '1, 4',
    hypothesis: 'With sync flush a power cut of all nodes under load loses nothing acknowledged.',
    keepsBack: true,
    fault: (scene) => kill(scene, scene.cluster.nodes),
    holdMs: 300,
    recoverWithinMs: 30_000,
    mayLose: ({ flush, replication }) => flush === 'async' || replication === 'async',
  },
  {
    name: 'power-one-then-pause',
    family: 'power',
    number: '2',
    hypothesis:
      'A node that lost its power and comes back into the next quorum loses nothing acknowledged (NATS 7567).',
    keepsBack: true,
    fault: async (scene) => {
      const [first, second] = scene.cluster.followers
      const leader = await scene.cluster.led()
      if (first === undefined || second === undefined) return kill(scene, [leader])
      // The quorum that decided lately is not the one that decides next.
      scene.note(`SIGSTOP ${second.id}; ${first.id} and then the leader ${leader.id} lose their power`)
      const pid = present(second.pid, 'a node that runs')
      process.kill(pid, 'SIGSTOP')
      await scene.acknowledged(100)
      await kill(scene, [first])
      first.start()
      process.kill(pid, 'SIGCONT')
      await kill(scene, [leader])
      return restart([leader])
    },
    holdMs: 500,
    recoverWithinMs: 30_000,
    mayLose: ({ flush, replication }) => flush === 'async' || replication === 'async',
  },
  {
    name: 'power-in-flush-window',
    family: 'power',
    number: '39',
    hypothesis:
      'A power cut of all nodes in async flush loses at most what the declared window allows, and the group says so.',
    mode: { flush: 'async', replication: 'sync' },
    keepsBack: true,
    fault: (scene) => kill(scene, scene.cluster.nodes),
    holdMs: 300,
    recoverWithinMs: 30_000,
    mayLose: () => true,
  },
  {
    name: 'kill-with-lag',
    family: 'kill',
    number: '39',
    hypothesis:
      'A leader that dies in async replication with followers 200 ms behind loses at most the declared bound, and the group says so.',
    mode: { flush: 'sync', replication: 'async' },
    usesProxies: true,
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      const proxies = present(scene.proxies, 'proxies')
      scene.note(`200 ms between ${leader.id} and the others`)
      for (const { id } of scene.cluster.followers) {
        await proxies.poison(leader.id, id, { type: 'latency', attributes: { latency: 200, jitter: 20 } })
      }
      await scene.acknowledged(300)
      const heal = await kill(scene, [leader])
      return async () => {
        await proxies.heal()
        await heal()
      }
    },
    holdMs: 1_500,
    recoverWithinMs: 30_000,
    maxGapMs: 3_000,
    mayLose: () => true,
  },
  {
    name: 'clock-jumps',
    family: 'pause',
    number: '22',
    hypothesis:
      'Wall clocks that jump by up to an hour, either way, again and again, cause no election and lose nothing.',
    fault: async (scene) => {
      const { term } = present((await scene.cluster.led()).status, 'a leader says its term')
      for (let times = 0; times < 12; times++) {
        const node = pick(scene, scene.cluster.nodes)
        const wrongByMs = scene.random.integer(-HOUR_MS, HOUR_MS)
        scene.note(`the clock of ${node.id} is wrong by ${Math.round(wrongByMs / 1_000)} s`)
        await node.setClock(wrongByMs)
        await scene.sleep(scene.random.integer(20, 400))
      }
      return async () => {
        for (const node of scene.cluster.nodes) await node.setClock(0)
        const now = present((await scene.cluster.led()).status, 'a leader says its term').term
        if (now !== term) throw new Error(`the term rose from ${term} to ${now}`)
      }
    },
    holdMs: 500,
    recoverWithinMs: 20_000,
    maxGapMs: 1_000,
  },
]
