/** What can go wrong with whole nodes, one thing at a time. */
import type { Random } from '../../src/lib/prng.ts'
import type { Cluster } from './cluster.ts'
import { rot } from './rot.ts'
import { addressOf, CLIENT_HOST, type Machine } from './machine.ts'
import type { Workload } from './workload.ts'
import { RaftmqCode } from '../../src/remoting/codes.ts'

export interface Scene {
  readonly cluster: Cluster
  readonly workload: Workload
  /** The only one whose disk may rot or be replaced in this run: never a majority of copies. */
  readonly unlucky: Machine
}

export type Trouble = (scene: Scene, random: Random) => void

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
  rot({ cluster, unlucky }, random) {
    rot(unlucky.disk, random)
    cluster.note(`the disk of ${unlucky.id} rots`)
  },
  transfer({ cluster, workload }, random) {
    const { leader } = cluster
    const to = any(cluster, random).id
    if (leader === undefined) return
    const request = { code: RaftmqCode.TRANSFER_LEADERSHIP, header: { to } }
    workload.invoke(addressOf(leader), request).catch(() => undefined)
  },
  createTopic({ workload }) {
    void workload.createTopic()
  },
} satisfies Record<string, Trouble>

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
