/** Members that come, go and are replaced while nodes die. */
import { Admin } from '../../src/client/index.ts'
import { present } from '../../src/lib/assert.ts'
import type { GroupChange } from '../../src/client/index.ts'
import type { FaultyNode } from '../../src/cli/experiments/faulty-node.ts'
import type { Scenario, Scene } from '../scenario.ts'

const BROKER = 'broker-a'

async function change(scene: Scene, what: GroupChange): Promise<void> {
  const admin = new Admin({ namesrv: scene.cluster.namesrv })
  scene.note(JSON.stringify(what))
  try {
    await admin.changeMembers(BROKER, what)
  } finally {
    admin.close()
  }
}

async function grow(scene: Scene): Promise<FaultyNode> {
  const node = await scene.cluster.add()
  await change(scene, { change: 'add', id: node.id, place: `127.0.0.1:${node.plan.ports.peer}` })
  await change(scene, { change: 'promote', id: node.id })
  return node
}

async function shrink(scene: Scene, node: FaultyNode): Promise<void> {
  await change(scene, { change: 'remove', id: node.id })
  node.isGone = true
  await node.ended
}

/** Kills the leader a moment after `work` began, and starts it again. */
async function whileLeaderDies(scene: Scene, work: () => Promise<unknown>): Promise<void> {
  const leader = await scene.cluster.led()
  const done = work()
  await scene.sleep(scene.random.integer(0, 60))
  scene.note(`kill -9 ${leader.id} meanwhile`)
  await leader.kill()
  leader.start()
  await done
}

const nothing = (): Promise<void> => Promise.resolve()

export const memberScenarios: readonly Scenario[] = [
  {
    name: 'members-grow-and-shrink',
    family: 'members',
    number: '31',
    hypothesis: 'Three nodes become five and three again, the leader among those that leave, without a failed request.',
    fault: async (scene) => {
      await grow(scene)
      await grow(scene)
      await shrink(scene, await scene.cluster.led())
      await shrink(scene, await scene.cluster.led())
      return nothing
    },
    holdMs: 0,
    recoverWithinMs: 60_000,
    maxGapMs: 1_500,
  },
  {
    name: 'members-replace-dead',
    family: 'members',
    number: '31',
    hypothesis: 'A dead node is replaced under load; its id, started again with its old disk, is told and ends.',
    fault: async (scene) => {
      const dead = present(scene.cluster.followers[0], 'a follower')
      scene.note(`kill -9 ${dead.id}`)
      await dead.kill()
      const node = await scene.cluster.add()
      await change(scene, { change: 'add', id: node.id, place: `127.0.0.1:${node.plan.ports.peer}` })
      await change(scene, { change: 'replace', id: dead.id, by: node.id })
      dead.isGone = true
      dead.start()
      await dead.ended
      return nothing
    },
    holdMs: 0,
    recoverWithinMs: 60_000,
    maxGapMs: 1_500,
  },
  {
    name: 'members-while-leaders-die',
    family: 'members',
    number: '31, 34',
    hypothesis:
      'A leader that is killed at each step of a change leaves a group that finishes or drops it, and loses nothing.',
    fault: async (scene) => {
      const node = await scene.cluster.add()
      const place = `127.0.0.1:${node.plan.ports.peer}`
      await whileLeaderDies(scene, () => change(scene, { change: 'add', id: node.id, place }))
      await scene.cluster.led()
      await whileLeaderDies(scene, () => change(scene, { change: 'promote', id: node.id }))
      const old = present(
        scene.cluster.nodes.find(({ isGone, id, status }) => !isGone && id !== node.id && status?.role === 'follower'),
        'a follower',
      )
      await whileLeaderDies(scene, () => change(scene, { change: 'remove', id: old.id }))
      old.isGone = true
      await old.ended
      return nothing
    },
    holdMs: 0,
    recoverWithinMs: 60_000,
    maxGapMs: 5_000,
  },
]
