/** What can go wrong with whole nodes, one thing at a time. */
import type { Random } from '../../src/lib/prng.ts'
import type { Cluster } from './cluster.ts'
import { rot } from './rot.ts'
import { CLIENT_HOST, type Machine } from './machine.ts'
import type { Modes } from './node-options.ts'
import type { Scene } from './scene.ts'

export type Trouble = (scene: Scene, random: Random) => void

/** So long a leader leads before it is cut off. */
const LEADS_MS = 400

export const troubles = {
  kill({ cluster }, random) {
    const machine = anyOrLeader(cluster, random)
    cluster.kill(machine)
    bootLater(cluster, machine, random.next() * 1500)
  },
  powerLoss({ cluster }, random) {
    const machine = anyOrLeader(cluster, random)
    cluster.powerLoss(machine)
    bootLater(cluster, machine, random.next() * 1500)
  },
  powerLossOfAll({ cluster }, random) {
    for (const machine of cluster.machines) {
      cluster.powerLoss(machine)
      bootLater(cluster, machine, random.next() * 800)
    }
  },
  /** Dies in the middle of one of its next changes of the disk. */
  dieWriting({ cluster }, random) {
    anyOrLeader(cluster, random).ambushIn = random.integer(1, 60)
  },
  isolate({ cluster }, random) {
    cluster.network.isolate(any(cluster, random).host, cluster.hosts)
    healLater(cluster, random)
  },
  /** With the clients that speak to it. */
  isolateLeader({ cluster }, random) {
    const { host } = cluster.leader ?? any(cluster, random)
    cluster.network.isolate(host, random.next() < 0.5 ? cluster.hosts : [...cluster.hosts, CLIENT_HOST])
    healLater(cluster, random)
  },
  cutOneWay({ cluster }, random) {
    const { host } = any(cluster, random)
    for (const other of cluster.hosts) if (other !== host && random.next() < 0.7) cluster.network.cut(host, other)
    healLater(cluster, random)
  },
  resetConnections({ cluster }, random) {
    const hosts = [...cluster.hosts, CLIENT_HOST]
    cluster.network.reset(pick(hosts, random), pick(hosts, random))
  },
  stall({ cluster }, random) {
    anyOrLeader(cluster, random).process?.clock.stall(random.next() * 2000)
  },
  jumpClock({ cluster }, random) {
    any(cluster, random).process?.clock.jump((random.next() - 0.5) * 7_200_000)
  },
  failSync({ cluster }, random) {
    anyOrLeader(cluster, random).disk.faults.failingSyncs = 1
  },
  fillDisk({ cluster }, random) {
    const { disk } = any(cluster, random)
    disk.faults.capacityBytes = disk.usedBytes + random.integer(0, 20_000)
    cluster.scheduler.after(random.next() * 2000, () => {
      disk.faults.capacityBytes = Infinity
    })
  },
  readOnlyDisk({ cluster }, random) {
    const { disk } = any(cluster, random)
    disk.faults.isReadOnly = true
    cluster.scheduler.after(random.next() * 1500, () => {
      disk.faults.isReadOnly = false
    })
  },
  slowDisk({ cluster }, random) {
    const { disk } = anyOrLeader(cluster, random)
    disk.faults.slowSyncRate = 0.5
    cluster.scheduler.after(random.next() * 2000, () => {
      disk.faults.slowSyncRate = 0
    })
  },
  /** As when they share what they lie on. */
  slowDisks({ cluster }, random) {
    for (const { disk } of cluster.machines) {
      disk.faults.slowSyncRate = 0.5
      cluster.scheduler.after(random.next() * 2000, () => {
        disk.faults.slowSyncRate = 0
      })
    }
  },
  /** Not where retention may have dropped the other copies: the only one of an entry is more than a disk may lose. */
  rot({ cluster, unlucky }, random) {
    if (cluster.counts.of('dropped segment') > 0) return
    rot(unlucky.disk, random)
    cluster.note(`the disk of ${unlucky.id} rots`)
  },
  /** Another disk in that machine, an empty one. */
  wipe({ cluster, unlucky }, random) {
    cluster.wipe(unlucky)
    bootLater(cluster, unlucky, random.next() * 1500)
  },
  killNamesrv({ cluster }, random) {
    cluster.killNamesrv()
    cluster.scheduler.after(random.next() * 2000, () => void cluster.startNamesrv())
  },
  transfer({ cluster, operator }, random) {
    operator.transferLeader(any(cluster, random).id)
  },
  changeMode({ operator }, random) {
    void operator.changeMode(pick(modes, random))
  },
  addMember({ operator }) {
    void operator.grow()
  },
  removeMember({ cluster, operator }, random) {
    void operator.remove(anyOrLeader(cluster, random))
  },
  replaceMember({ cluster, operator }, random) {
    void operator.replace(anyOrLeader(cluster, random))
  },
  /** What has expired goes; in half of the cases the leader's disk says that it is nearly full, and more goes. */
  dropExpired({ cluster, operator, unlucky }, random) {
    if (unlucky.disk.isRotten) return
    const disk = cluster.leader?.disk
    if (disk !== undefined && random.next() < 0.5) {
      disk.faults.isCramped = true
      cluster.scheduler.after(500, () => {
        disk.faults.isCramped = false
      })
    }
    operator.dropExpired()
  },
  createTopic({ tables }) {
    void tables.createTopic()
  },
  /** It leads, and is cut off from the others, not from clients: what it acknowledges alone is gone with its disk. */
  wipeLeader({ cluster, operator, unlucky }, random) {
    operator.transferLeader(unlucky.id)
    cluster.scheduler.after(LEADS_MS, () => {
      if (cluster.leader !== unlucky) return
      cluster.network.isolate(unlucky.host, cluster.hosts)
      healLater(cluster, random)
      cluster.scheduler.after(random.next() * 300, () => {
        cluster.wipe(unlucky)
        bootLater(cluster, unlucky, random.next() * 1500)
      })
    })
  },
} satisfies Record<string, Trouble>

const modes: readonly Modes[] = [
  { flush: 'sync', replication: 'sync' },
  { flush: 'sync', replication: 'async' },
  { flush: 'async', replication: 'sync' },
  { flush: 'async', replication: 'async' },
]

export type TroubleName = keyof typeof troubles

function any(cluster: Cluster, random: Random): Machine {
  return pick(cluster.machines, random)
}

function anyOrLeader(cluster: Cluster, random: Random): Machine {
  const machine = any(cluster, random)
  return random.next() < 0.5 ? (cluster.leader ?? machine) : machine
}

function pick<T>(items: readonly T[], random: Random): T {
  const item = items[random.integer(0, items.length - 1)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

function bootLater(cluster: Cluster, machine: Machine, delayMs: number): void {
  cluster.scheduler.after(delayMs, () => cluster.boot(machine))
}

function healLater(cluster: Cluster, random: Random): void {
  cluster.scheduler.after(random.next() * 2500, () => cluster.network.heal())
}
