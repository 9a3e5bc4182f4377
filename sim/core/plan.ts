/** What goes wrong in a run, and how often: drawn from the seed, so that runs differ in kind and not only in detail. */
import type { Random } from '../../src/lib/prng.ts'
import type { Message } from '../../src/raft/message.ts'
import { schemes } from './schemes.ts'
import type { Simulation } from './simulation.ts'
import { troubles, type Trouble } from './troubles.ts'

export type TroubleName = keyof typeof troubles | keyof typeof schemes

export const allTroubles: Readonly<Record<TroubleName, Trouble>> = { ...troubles, ...schemes }

const schemeNames = Object.keys(schemes).filter((name): name is keyof typeof schemes => name in schemes)

/** What decides beforehand what may go wrong. */
export interface Kind {
  /** Members come and go. */
  readonly changes: boolean
  /** Entries are committed that are only written: a disk that is replaced as well could be one too many. */
  readonly isBuffered: boolean
}

export interface Plan {
  readonly durationMs: number
  /** Mean time between things that happen. */
  readonly everyMs: number
  readonly weights: Readonly<Record<TroubleName, number>>
}

/** A storm of everything, or one scheme with little beside it. */
export function drawPlan(random: Random, { changes, isBuffered }: Kind): Plan {
  const canWipe = !changes && !isBuffered

  const scheme = random.next() < 0.4 ? schemeNames[random.integer(0, schemeNames.length - 1)] : undefined
  const least = scheme === undefined ? 1 : 0.15
  const weight = (share: number, most: number): number => {
    const isThere = random.next() < share * Math.sqrt(least)
    return random.next() * (isThere ? most * least : 0)
  }
  const drawn = {
    read: weight(0.5, 2),
    crash: weight(0.7, 0.8),
    crashAll: weight(0.3, 0.2),
    cutPower: weight(isBuffered ? 0.7 : 0.2, 0.6),
    cutPowerOfAll: weight(isBuffered ? 0.5 : 0.1, 0.2),
    changeFlush: weight(0.5, isBuffered ? 0.3 : 0),
    failSync: weight(0.2, 0.1),
    wipe: weight(0.4, canWipe ? 0.3 : 0),
    isolate: weight(0.4, 0.3),
    isolateLeader: weight(0.5, 0.6),
    cutOneWay: weight(0.4, 0.3),
    cutLink: weight(0.4, 0.5),
    flap: weight(0.2, 0.3),
    stall: weight(0.3, 0.3),
    transfer: weight(0.3, 0.5),
    dropFront: weight(0.3, 0.5),
    diskFull: weight(0.2, 0.1),
    connectionLost: weight(0.2, 0.2),
    shortReign: weight(0.2, 0.3),
    deathAtCommit: weight(0.3, 0.4),
    amnesia: weight(0.1, canWipe ? 0.2 : 0),
    staleLeaderFills: weight(0.1, canWipe ? 0.1 : 0),
    lateSync: weight(0.1, 0.1),
    staleRead: weight(0.1, 0.2),
  }
  const everyMs = 5 + random.next() * 40
  const weights = { propose: 10, changeMembership: changes ? 0.5 : 0, ...drawn }
  const isWiping = scheme === 'amnesia' || scheme === 'staleLeaderFills'
  // About one a second.
  if (scheme !== undefined && (canWipe || !isWiping)) weights[scheme] = 10 * (everyMs / 800)
  return { durationMs: 6000, everyMs, weights }
}

/** Network of a run. */
export function drawNetwork(sim: Simulation, random: Random): void {
  const rate = rates(random)
  sim.network.faults = {
    dropRate: rate(0.5, 0.2),
    duplicateRate: rate(0.5, 0.2),
    reorderRate: rate(0.5, 0.5),
    maxDelayMs: random.next() < 0.7 ? 2 : 80,
  }
}

/** Disks of a run. */
export function drawDisks(sim: Simulation, random: Random): void {
  const rate = rates(random)
  for (const id of sim.ids) {
    sim.machine(id).faults = {
      maxSyncMs: 3,
      slowSyncRate: rate(0.4, 0.2),
      slowSyncMs: random.next() < 0.5 ? 50 : 800,
      slowReadRate: rate(0.5, 0.5),
      slowReadMs: random.next() < 0.5 ? 5 : 300,
    }
  }
}

/** Crashes at the moments that count: right after something was promised. */
export function drawAmbushes(sim: Simulation, random: Random): void {
  const shares: Partial<Record<Message['type'], number>> = {
    vote: random.next() < 0.3 ? 0.2 : 0,
    voteReply: random.next() < 0.5 ? 0.3 : 0,
    appendReply: random.next() < 0.3 ? 0.002 : 0,
    append: random.next() < 0.3 ? 0.002 : 0,
  }
  sim.ambush = (parcel) => {
    const share = shares[parcel.envelope.message.type] ?? 0
    return share > 0 && random.next() < share
  }
}

function rates(random: Random): (share: number, most: number) => number {
  return (share, most) => {
    const isThere = random.next() < share
    return random.next() * (isThere ? most : 0)
  }
}
