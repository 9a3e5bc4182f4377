/** Links that are cut, slow, narrow or one-way, through Toxiproxy. */
import { Admin } from '../../src/client/index.ts'
import { present } from '../../src/lib/assert.ts'
import type { FaultyNode } from '../../src/cli/experiments/faulty-node.ts'
import type { Proxies, Toxic } from '../proxies.ts'
import type { Heal, Scenario, Scene } from '../scenario.ts'

type Base = Omit<Scenario, 'fault' | 'name' | 'number' | 'hypothesis'>

const base: Base = { family: 'network', usesProxies: true, holdMs: 5_000, recoverWithinMs: 30_000 }

const proxiesOf = (scene: Scene): Proxies => present(scene.proxies, 'proxies')

const heal = (scene: Scene): Heal => {
  return () => proxiesOf(scene).heal()
}

async function cutOff(scene: Scene, id: string): Promise<void> {
  for (const other of scene.cluster.nodes) if (other.id !== id) await proxiesOf(scene).cut(id, other.id)
}

async function poisonAll(scene: Scene, toxic: Toxic): Promise<Heal> {
  scene.note(JSON.stringify(toxic))
  for (const from of scene.cluster.nodes) {
    for (const to of scene.cluster.nodes) {
      if (from.id !== to.id) await proxiesOf(scene).poison(from.id, to.id, toxic)
    }
  }
  return heal(scene)
}

/** A leader that took messages nobody else has, and its links whole again: it is about to cut them off its log. */
async function leadAlone(scene: Scene): Promise<FaultyNode> {
  const old = await scene.cluster.led()
  scene.note(`cut off ${old.id}`)
  await cutOff(scene, old.id)
  for (let waitedMs = 0; !scene.cluster.nodes.some((node) => node !== old && leads(node)); waitedMs += 20) {
    if (waitedMs > 10_000) throw new Error('nobody else was elected within 10 s')
    await scene.sleep(20)
  }
  await proxiesOf(scene).heal()
  return old
}

const leads = ({ status }: FaultyNode): boolean => status?.role === 'leader' && status.isReady

const isolated = (
  name: string,
  holdMs: number,
): Pick<Scenario, 'name' | 'number' | 'hypothesis' | 'fault' | 'holdMs'> => ({
  name,
  number: '15',
  hypothesis: `A follower that was cut off for ${holdMs / 1_000} s comes back without an election.`,
  holdMs,
  fault: async (scene) => {
    const follower = present(scene.cluster.followers[0], 'a follower')
    const { term } = present((await scene.cluster.led()).status, 'a leader says its term')
    scene.note(`cut off ${follower.id}`)
    await cutOff(scene, follower.id)
    return async () => {
      await heal(scene)()
      await scene.acknowledged(500)
      const now = present((await scene.cluster.led()).status, 'a leader says its term').term
      if (now !== term) throw new Error(`the term rose from ${term} to ${now}`)
    }
  },
})

const flapping = (
  name: string,
  forMs: number,
): Pick<Scenario, 'name' | 'number' | 'hypothesis' | 'fault' | 'holdMs'> => ({
  name,
  number: '16',
  hypothesis: `A link to the leader that comes and goes for ${forMs / 1_000} s loses nothing.`,
  holdMs: 0,
  fault: async (scene) => {
    for (let goneMs = 0; goneMs < forMs; ) {
      const leader = await scene.cluster.led()
      const other = present(scene.cluster.followers[0], 'a follower')
      scene.note(`cut ${leader.id} from ${other.id}`)
      await proxiesOf(scene).cut(leader.id, other.id)
      const [cutMs, wholeMs] = [scene.random.integer(300, 1_200), scene.random.integer(300, 1_200)]
      await scene.sleep(cutMs)
      await proxiesOf(scene).heal()
      await scene.sleep(wholeMs)
      goneMs += cutMs + wholeMs
    }
    return heal(scene)
  },
})

const TEN_MINUTES_MS = 600_000

const latency = (ms: number): Scenario => ({
  ...base,
  name: `latency-${ms}ms`,
  number: '18',
  hypothesis: `With ${ms} ms each way between nodes, and half of it as jitter, nobody is elected and nothing is lost.`,
  fault: (scene) => poisonAll(scene, { type: 'latency', attributes: { latency: ms, jitter: ms / 2 } }),
  maxGapMs: 3_000,
})

export const networkScenarios: readonly Scenario[] = [
  {
    ...base,
    name: 'partition-leader',
    number: '7',
    hypothesis: 'A leader cut off from its group, with clients on its side, acknowledges nothing; the others elect.',
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      scene.note(`cut off ${leader.id}`)
      await cutOff(scene, leader.id)
      return heal(scene)
    },
    maxGapMs: 6_000,
  },
  { ...base, ...isolated('partition-follower', 5_000), maxGapMs: 1_500 },
  { ...base, ...isolated('partition-follower-10min', TEN_MINUTES_MS), maxGapMs: 1_500, isLong: true },
  {
    ...base,
    name: 'pause-while-truncating',
    number: '6',
    hypothesis:
      'A deposed leader that stands still while it cuts off what nobody else has, and wakes in a later term, spoils nothing.',
    fault: async (scene) => {
      const old = await leadAlone(scene)
      await scene.sleep(scene.random.integer(0, 60))
      const pid = present(old.pid, 'a node that runs')
      scene.note(`SIGSTOP ${old.id}`)
      process.kill(pid, 'SIGSTOP')
      await scene.acknowledged(200)
      const leader = present(scene.cluster.nodes.find(leads), 'a leader')
      const next = present(
        scene.cluster.nodes.find((node) => node !== old && node !== leader),
        'a third node',
      )
      const admin = new Admin({ namesrv: scene.cluster.namesrv })
      scene.note(`leadership moves to ${next.id}, and ${old.id} wakes`)
      await admin.transferLeader({ broker: next.plan.broker, to: next.id }).catch(() => undefined)
      admin.close()
      process.kill(pid, 'SIGCONT')
      return heal(scene)
    },
    holdMs: 500,
    maxGapMs: 6_000,
    mayLose: ({ replication }) => replication === 'async',
  },
  {
    ...base,
    name: 'kill-while-truncating',
    number: '29',
    hypothesis: 'A deposed leader that dies while it cuts off what nobody else has comes back whole.',
    fault: async (scene) => {
      const old = await leadAlone(scene)
      await scene.sleep(scene.random.integer(0, 60))
      scene.note(`kill -9 ${old.id}`)
      await old.kill()
      return () => {
        old.start()
        return Promise.resolve()
      }
    },
    holdMs: 500,
    maxGapMs: 6_000,
    mayLose: ({ replication }) => replication === 'async',
  },
  {
    ...base,
    name: 'one-way',
    number: '13',
    hypothesis: 'A follower that hears nobody and is heard by all does not raise the term.',
    fault: async (scene) => {
      const follower = present(scene.cluster.followers[0], 'a follower')
      scene.note(`nothing reaches ${follower.id}`)
      for (const other of scene.cluster.nodes) {
        if (other.id === follower.id) continue
        // What others dialled carries their messages to it; what it dialled carries its own.
        const toxic = { type: 'timeout', attributes: { timeout: 0 }, stream: 'upstream' } as const
        await proxiesOf(scene).poison(other.id, follower.id, toxic)
      }
      return heal(scene)
    },
    maxGapMs: 3_000,
  },
  {
    ...base,
    name: 'bridge',
    number: '14',
    hypothesis: 'Two nodes that see only the third have one leader with it, and no flapping.',
    fault: async (scene) => {
      const [one, , three] = scene.cluster.nodes
      const [first, last] = [present(one, 'a node').id, present(three, 'a node').id]
      scene.note(`cut ${first} from ${last}`)
      await proxiesOf(scene).cut(first, last)
      return heal(scene)
    },
    maxGapMs: 5_000,
  },
  { ...base, ...flapping('flapping', 6_000), maxGapMs: 6_000 },
  { ...base, ...flapping('flapping-10min', TEN_MINUTES_MS), maxGapMs: 6_000, isLong: true },
  latency(2),
  latency(50),
  latency(200),
  {
    ...base,
    name: 'narrow-follower',
    number: '19',
    hypothesis: 'A follower behind 10 KB/s, sliced, holds nobody up.',
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      const follower = present(scene.cluster.followers[0], 'a follower')
      scene.note(`10 KB/s between ${leader.id} and ${follower.id}`)
      for (const [from, to] of [
        [leader.id, follower.id],
        [follower.id, leader.id],
      ] as const) {
        await proxiesOf(scene).poison(from, to, { type: 'bandwidth', attributes: { rate: 10 } })
        await proxiesOf(scene).poison(from, to, {
          type: 'slicer',
          attributes: { average_size: 512, size_variation: 64, delay: 100 },
        })
      }
      return heal(scene)
    },
    maxGapMs: 1_500,
  },
  {
    ...base,
    name: 'half-open',
    number: '19',
    hypothesis: 'Connections to the leader that pass nothing and do not end are noticed, and another one leads.',
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      scene.note(`links of ${leader.id} pass nothing`)
      for (const other of scene.cluster.nodes) {
        if (other.id === leader.id) continue
        const toxic = { type: 'timeout', attributes: { timeout: 0 } } as const
        await proxiesOf(scene).poison(leader.id, other.id, toxic)
        await proxiesOf(scene).poison(other.id, leader.id, toxic)
      }
      return heal(scene)
    },
    maxGapMs: 8_000,
  },
  {
    ...base,
    name: 'clients-cut-from-leader',
    number: '7, 35',
    hypothesis:
      'Clients that do not reach the leader lose nothing: what was undecided is the only thing that lies twice.',
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      scene.note(`clients do not reach ${leader.id}`)
      await proxiesOf(scene).cutClients(leader.id)
      return heal(scene)
    },
    holdMs: 2_000,
  },
  {
    ...base,
    name: 'clients-reset-by-peer',
    number: '35',
    hypothesis: 'Connections of clients that are reset in the middle of answers leave sends undecided, never wrong.',
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      for (let times = 0; times < 5; times++) {
        scene.note(`connections of clients to ${leader.id} are reset`)
        await proxiesOf(scene).poison('clients', leader.id, {
          type: 'limit_data',
          attributes: { bytes: scene.random.integer(1_000, 50_000) },
          stream: 'downstream',
        })
        await scene.sleep(300)
        await proxiesOf(scene).heal()
        await scene.sleep(300)
      }
      return heal(scene)
    },
    holdMs: 0,
    maxGapMs: 5_000,
  },
]
