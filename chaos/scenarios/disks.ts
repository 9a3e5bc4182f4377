/** Disks that fail, fill, slow down, or hold something else than was written. */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { present } from '../../src/lib/assert.ts'
import { frameLength } from '../../src/message/entry-frame.ts'
import type { FaultyNode } from '../../src/cli/experiments/faulty-node.ts'
import type { DiskFault } from '../../src/faults/faulty-disk.ts'
import type { Heal, Scenario, Scene } from '../scenario.ts'

/** A fault of the disk for as long as it is held. */
async function breakDisk(scene: Scene, node: FaultyNode, faults: readonly DiskFault[]): Promise<Heal> {
  scene.note(`${node.id}: ${JSON.stringify(faults)}`)
  await node.setFaults(faults)
  return async () => {
    if (node.pid === undefined) node.start()
    else await node.setFaults([])
  }
}

/** Kills a node, does something to its folder, and starts it again when healed. */
async function tamper(
  scene: Scene,
  nodes: readonly FaultyNode[],
  what: string,
  work: (store: string) => void,
): Promise<Heal> {
  scene.note(`kill -9 ${nodes.map(({ id }) => id).join(' ')}; ${what}`)
  await Promise.all(nodes.map((node) => node.kill()))
  for (const node of nodes) work(join(node.plan.dir, 'store'))
  return () => {
    for (const node of nodes) node.start()
    return Promise.resolve()
  }
}

/** `slowDiskForMs` by default, and 3 s. */
const SLOW_LEADER_GONE_WITHIN_MS = 5_000

const follower = (scene: Scene): FaultyNode => present(scene.cluster.followers[0], 'a follower')

function segments(store: string): readonly string[] {
  const folder = join(store, 'commitlog')
  return readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .sort()
    .map((name) => join(folder, name))
}

/** Turns one bit round in the middle of the entries of the first segment. */
function flipBit(store: string): void {
  const path = present(segments(store)[0], 'a segment')
  const bytes = readFileSync(path)
  let end = 0
  while (end + 32 < bytes.length && frameLength(bytes, end) > 0) end += frameLength(bytes, end)
  const at = Math.floor(end / 2)
  const file = openSync(path, 'r+')
  writeSync(file, Buffer.from([(bytes[at] ?? 0) ^ 4]), 0, 1, at)
  closeSync(file)
}

/** Cuts the last entry of the log in two. */
function tearTail(store: string): void {
  const path = present(segments(store).at(-1), 'a segment')
  const bytes = readFileSync(path)
  let last = 0
  for (let at = 0; at + 32 < bytes.length && frameLength(bytes, at) > 0; at += frameLength(bytes, at)) last = at
  truncateSync(path, last + Math.floor(frameLength(bytes, last) / 2))
}

/** Fills one of the files that are derived from the log with something else. */
function spoil(store: string): void {
  for (const name of readdirSync(store, { recursive: true }).map(String)) {
    const path = join(store, name)
    if (!/derived/.test(name) || !statSync(path).isFile()) continue
    const file = openSync(path, 'r+')
    writeSync(file, Buffer.alloc(64, 0x5a), 0, 64, 0)
    closeSync(file)
  }
}

/** Segments that roll every second or so. */
const smallLog = [['mappedFileSizeCommitLog', '1048576']] as const

const droppedAtOnce = [
  ['fileReservedTime', '0'],
  ['deleteWhen', Array.from({ length: 24 }, (_, hour) => hour).join(';')],
] as const

export const diskScenarios: readonly Scenario[] = [
  {
    name: 'fsync-fails-on-leader',
    family: 'disk',
    number: '8',
    hypothesis: 'A leader whose fsync fails once ends, acknowledges nothing by it, and another one leads.',
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      await breakDisk(scene, leader, [{ on: 'sync', path: 'commitlog', code: 'EIO', times: 1 }])
      await leader.ended
      return () => {
        leader.start()
        return Promise.resolve()
      }
    },
    holdMs: 500,
    recoverWithinMs: 20_000,
    maxGapMs: 3_000,
  },
  {
    name: 'slow-disk-on-follower',
    family: 'disk',
    number: '24',
    hypothesis: 'A follower whose fsync takes 2 s is not noticed.',
    fault: (scene) => breakDisk(scene, follower(scene), [{ on: 'sync', delayMs: 2_000 }]),
    holdMs: 4_000,
    recoverWithinMs: 30_000,
    maxGapMs: 1_000,
  },
  {
    name: 'slow-disk-on-leader',
    family: 'disk',
    number: '24',
    hypothesis: 'A leader whose fsync takes 2 s has handed leadership over within 5 s.',
    fault: async (scene) => {
      const leader = await scene.cluster.led()
      const heal = await breakDisk(scene, leader, [{ on: 'sync', delayMs: 2_000 }])
      for (let waitedMs = 0; scene.cluster.leader === leader || scene.cluster.leader === undefined; waitedMs += 50) {
        if (waitedMs > SLOW_LEADER_GONE_WITHIN_MS) throw new Error(`${leader.id} leads on, ${waitedMs} ms later`)
        await scene.sleep(50)
      }
      await scene.acknowledged(200)
      return heal
    },
    holdMs: 0,
    recoverWithinMs: 30_000,
    maxGapMs: 6_000,
  },
  {
    name: 'slow-disk-on-all',
    family: 'disk',
    number: '24',
    hypothesis:
      'Where every fsync takes 0.7 s on all nodes, leadership moves once at most, and everything goes on, slowly.',
    fault: async (scene) => {
      const { term } = present((await scene.cluster.led()).status, 'a leader says its term')
      const heals: Heal[] = []
      for (const node of scene.cluster.nodes) {
        heals.push(await breakDisk(scene, node, [{ on: 'sync', delayMs: 700 }]))
      }
      return async () => {
        for (const heal of heals) await heal()
        const now = present((await scene.cluster.led()).status, 'a leader says its term').term
        if (now > term + 1) throw new Error(`the term rose from ${term} to ${now}`)
      }
    },
    holdMs: 8_000,
    recoverWithinMs: 30_000,
    maxGapMs: 6_000,
  },
  {
    name: 'full-disk-on-follower',
    family: 'disk',
    number: '23',
    hypothesis: 'A follower whose disk is full takes no writes and is not noticed; it goes on when there is room.',
    fault: (scene) => breakDisk(scene, follower(scene), [{ on: 'write', path: 'commitlog', code: 'ENOSPC' }]),
    holdMs: 3_000,
    recoverWithinMs: 30_000,
    maxGapMs: 1_000,
  },
  {
    name: 'full-disk-on-leader',
    family: 'disk',
    number: '23',
    hypothesis: 'A leader whose disk is full hands leadership over and goes on as a follower when there is room.',
    fault: async (scene) =>
      breakDisk(scene, await scene.cluster.led(), [{ on: 'write', path: 'commitlog', code: 'ENOSPC' }]),
    holdMs: 3_000,
    recoverWithinMs: 30_000,
    maxGapMs: 5_000,
  },
  {
    name: 'read-only-leader',
    family: 'disk',
    number: '25',
    hypothesis: 'A leader whose file system became read-only acknowledges nothing any more, and another one leads.',
    fault: async (scene) =>
      breakDisk(scene, await scene.cluster.led(), [
        { on: 'write', code: 'EROFS' },
        { on: 'name', code: 'EROFS' },
      ]),
    holdMs: 3_000,
    recoverWithinMs: 30_000,
    maxGapMs: 5_000,
  },
  {
    name: 'wiped-follower',
    family: 'damage',
    number: '26',
    hypothesis: 'A node whose disk was wiped comes back under its id, has no vote until it is filled, and is filled.',
    fault: (scene) =>
      tamper(scene, [follower(scene)], 'its disk is wiped', (store) => rmSync(store, { recursive: true })),
    holdMs: 300,
    recoverWithinMs: 30_000,
    maxGapMs: 1_500,
  },
  {
    name: 'two-wiped',
    family: 'damage',
    number: '27',
    hypothesis:
      'With two of three disks wiped nobody leads: the group does not begin anew without what it acknowledged.',
    fault: async (scene) => {
      const nodes = scene.cluster.followers
      const heal = await tamper(scene, nodes, 'their disks are wiped', (store) => renameSync(store, `${store}-aside`))
      await heal()
      await scene.sleep(4_000)
      const { leader } = scene.cluster
      if (leader !== undefined) throw new Error(`${leader.id} leads over empty disks`)
      await Promise.all(nodes.map((node) => node.kill()))
      return () => {
        for (const node of nodes) {
          const store = join(node.plan.dir, 'store')
          rmSync(store, { recursive: true, force: true })
          renameSync(`${store}-aside`, store)
          node.start()
        }
        return Promise.resolve()
      }
    },
    holdMs: 0,
    recoverWithinMs: 30_000,
  },
  {
    name: 'flipped-bit',
    family: 'damage',
    number: '9',
    hypothesis: 'A bit that turned in the log of a node is found, never served, and repaired from a peer.',
    fault: (scene) => tamper(scene, [follower(scene)], 'a bit turns in its log', flipBit),
    holdMs: 200,
    recoverWithinMs: 30_000,
    maxGapMs: 1_500,
  },
  {
    name: 'torn-tail',
    family: 'damage',
    number: '10',
    hypothesis: 'Of a last entry that was torn nothing is used; the rest of the log is, and the entry comes again.',
    fault: (scene) => tamper(scene, [follower(scene)], 'its last entry is torn', tearTail),
    holdMs: 200,
    recoverWithinMs: 30_000,
    maxGapMs: 1_500,
  },
  {
    name: 'spoilt-derived-files',
    family: 'damage',
    number: '11',
    hypothesis:
      'Damaged queues, indexes and snapshots are made again from the log; the log is never given up for them.',
    fault: (scene) => tamper(scene, [follower(scene)], 'what is derived from its log is spoilt', spoil),
    holdMs: 200,
    recoverWithinMs: 60_000,
    maxGapMs: 1_500,
  },
  {
    name: 'behind-retention',
    family: 'damage',
    number: '28',
    hypothesis:
      'A follower that needs entries which retention has dropped is filled from where the log begins now, queues included.',
    properties: () => [...smallLog, ...droppedAtOnce],
    dropsOld: true,
    fault: async (scene) => {
      const behind = follower(scene)
      const start = `${behind.plan.dir}/store/commitlog`
      scene.note(`kill -9 ${behind.id}, and write until what it needs is dropped`)
      await behind.kill()
      const had = segments(`${behind.plan.dir}/store`).length
      const leader = await scene.cluster.led()
      const firstOf = (): string => present(segments(`${leader.plan.dir}/store`)[0], 'a segment').slice(-20)
      const before = firstOf()
      while (
        firstOf() === before ||
        firstOf() <= present(segments(`${behind.plan.dir}/store`).at(-1), start).slice(-20)
      ) {
        await scene.acknowledged(500)
      }
      scene.note(`${behind.id} has ${had} segments, the log begins with ${firstOf()}`)
      behind.start()
      return () => Promise.resolve()
    },
    holdMs: 0,
    recoverWithinMs: 40_000,
    maxGapMs: 1_500,
  },
  {
    name: 'kill-while-filling',
    family: 'damage',
    number: '29',
    hypothesis:
      'A node that dies again and again while its disk is filled, and while segments roll, is filled in the end.',
    properties: () => smallLog,
    fault: async (scene) => {
      const node = follower(scene)
      const heal = await tamper(scene, [node], 'its disk is wiped', (store) => rmSync(store, { recursive: true }))
      for (let times = 0; times < 6; times++) {
        await heal()
        await scene.sleep(scene.random.integer(100, 900))
        scene.note(`kill -9 ${node.id}`)
        await node.kill()
      }
      return heal
    },
    holdMs: 0,
    recoverWithinMs: 40_000,
    maxGapMs: 1_500,
  },
]
