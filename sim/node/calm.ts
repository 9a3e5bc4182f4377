/** The second part of a run: everything works again, and what was promised must be so. */
import { Violation } from '../world/violation.ts'
import { compareLogs, convergedAt, longestLog, readAll } from './audit.ts'
import type { Cluster } from './cluster.ts'
import type { DeclaredLoss } from './declared-loss.ts'
import { addressOf, type Machine } from './machine.ts'
import { flushBounds } from './node-options.ts'
import type { Scene } from './scene.ts'
import { expectSetAside, isAllTold } from './set-aside.ts'

/** A group that works takes writes again within this. */
const WRITES_MS = 10_000
/** After so long the operator looks why it does not. */
const OPERATOR_MS = 5_000
const CONVERGE_MS = 30_000
const SETTLE_MS = 30_000
const RETRY_MS = 20

/** Who is a member, and the entry that all of them stand at. */
interface Calm {
  readonly members: readonly Machine[]
  readonly index: number
}

/** Writes are taken, nodes become equal, and everything that was promised is there. */
export async function expectCalm(scene: Scene): Promise<void> {
  const { cluster, messages, tables, features } = scene
  const startMs = cluster.scheduler.nowMs
  const written = untilWritten(scene)
  callOperator(scene, written)
  await within(cluster, WRITES_MS, 'a message and an offset are taken', written)
  messages.end()
  tables.end()
  for (const feature of features) feature.end()
  // A wall clock that was set shifts what waits by as much; consumers may be ahead of queues that async flush cut.
  const isSettled = cluster.counts.of('jumpClock') === 0 && !cluster.modes.wasAsync.flush
  if (isSettled) await expectDelivered(scene)
  const calm = await within(cluster, CONVERGE_MS, 'nodes become equal', untilEqual(scene))
  cluster.note(`calm after ${Math.round(cluster.scheduler.nowMs - startMs)} ms`)
  compareLogs(calm.members)
  expectFlushed(calm.members)
  messages.ledger.close()
  await within(cluster, CONVERGE_MS, 'everything is read', audit(scene, { ...calm, isSettled }))
}

/**
 * Where one log rotted, or its disk was replaced, and power was lost in async flush, fewer logs may be whole than a group
 * needs to go on by itself, and it may wait for its operator (docs/durability.md).
 */
function callOperator({ cluster, operator, unlucky }: Scene, written: Promise<void>): void {
  let isWaiting = true
  written.then(
    () => (isWaiting = false),
    () => undefined,
  )
  cluster.scheduler.after(OPERATOR_MS, () => {
    const mayDecide = isDamaged(unlucky) && cluster.modes.wasAsync.flush && cluster.lostPower.size > 0
    if (isWaiting && mayDecide) operator.recover()
  })
}

/** Each try takes time of the clients: where they are closed, none comes after it. */
export async function untilWritten({ host, messages, tables }: Scene): Promise<void> {
  while (!(await messages.send())) await host.pause(RETRY_MS)
  while (!(await tables.commit())) await host.pause(RETRY_MS)
}

/** What waits for its time, or for somebody who handles it, comes at last. */
async function expectDelivered({ cluster, features }: Scene): Promise<void> {
  const endMs = cluster.scheduler.nowMs + SETTLE_MS
  for (;;) {
    const waiting = features.flatMap((feature) => feature.waiting())
    const { nowMs } = cluster.scheduler
    if (waiting.length === 0) return
    if (nowMs >= endMs) throw new Violation('liveness', `not delivered within ${SETTLE_MS} ms: ${waiting.join(', ')}`)
    await cluster.run(nowMs + RETRY_MS)
  }
}

/** What nobody adds to is flushed in time by itself. */
function expectFlushed(members: readonly Machine[]): void {
  for (const { id, writes } of members) {
    if (writes.unsyncedMs <= flushBounds.maxUnflushedMs) continue
    throw new Violation('flushed', `${id} has not flushed for ${Math.round(writes.unsyncedMs)} ms`)
  }
}

/** Others than the members may be dead, or were told that they were removed. */
async function untilEqual({ host, operator }: Scene): Promise<Calm> {
  // What was sent last, a change of the members too, is still on its way.
  for (let equal = 0; ; ) {
    const members = await operator.members()
    const index = members === undefined ? undefined : await convergedAt(members, host)
    equal = index === undefined ? 0 : equal + 1
    if (members !== undefined && index !== undefined && equal >= 3) return { members, index }
    await host.pause(200)
  }
}

async function audit(scene: Scene, { members, index, isSettled }: Calm & { isSettled: boolean }): Promise<void> {
  const { cluster, host, messages, tables, operator, features } = scene
  const disk = longestLog(members)
  const minimums = new Map<string, number>()
  for (const machine of members) {
    let declared = await operator.declaredLoss(machine)
    while (!isAllTold(cluster, declared)) {
      await host.pause(RETRY_MS)
      declared = await operator.declaredLoss(machine)
    }
    expectDoubt(scene, declared)
    const holding = await readAll(host, machine, { disk, index })
    expectSameMinimums(machine.id, holding.minimums, minimums)
    expectSetAside(cluster, messages.ledger.holds(machine.id, holding, declared))
    // Elections that stood on logs in doubt may have lost what was committed.
    if (!declared.isInDoubt) await tables.check(addressOf(machine))
    for (const feature of features) await feature.check(machine, { isSettled, declared })
  }
}

/** Where queues begin is decided by the group, and is the same on all nodes. */
function expectSameMinimums(id: string, found: ReadonlyMap<string, number>, known: Map<string, number>): void {
  for (const [queue, minimum] of found) {
    const other = known.get(queue) ?? minimum
    known.set(queue, other)
    if (minimum !== other)
      throw new Violation('minimum', `${queue} begins at ${minimum} on ${id}, elsewhere at ${other}`)
  }
}

/** Elections need logs in doubt only where so many lost power in async flush, rotted or are new that no quorum is without. */
function expectDoubt({ cluster, unlucky }: Scene, { isInDoubt }: DeclaredLoss): void {
  if (!isInDoubt) return
  const mayDoubt = new Set(cluster.modes.wasAsync.flush ? cluster.lostPower : [])
  if (isDamaged(unlucky)) mayDoubt.add(unlucky.id)
  const voters = cluster.copies.votersMin
  if (mayDoubt.size * 2 >= voters) return
  throw new Violation('doubt', `a leader was elected in doubt, and only ${mayDoubt.size} logs of ${voters} may be`)
}

function isDamaged({ disk }: Machine): boolean {
  return disk.isRotten || disk.isReplacement
}

/** Lets time pass until `work` is done; throws where it takes longer, or fails. */
export async function within<T>(cluster: Cluster, timeMs: number, what: string, work: Promise<T>): Promise<T> {
  const results: T[] = []
  work.then(
    (result) => results.push(result),
    (error: unknown) => cluster.fail(error),
  )
  await cluster.run(cluster.scheduler.nowMs + timeMs, () => results.length > 0)
  for (const result of results) return result
  throw new Violation('liveness', `not within ${timeMs} ms: ${what}; ${stateOf(cluster)}`)
}

function stateOf(cluster: Cluster): string {
  return cluster.machines
    .map(({ id, process: running }) => {
      const status = running?.broker?.status
      if (status === undefined) return `${id} ${running === undefined ? 'down' : 'starting'}`
      return `${id} ${status.role} ${status.term} ${status.leader ?? '-'} ${status.isReady ? 'ready' : 'not ready'}`
    })
    .join('; ')
}
