/** Scenario `start-5gb`: how long a node of three takes to come back when its log is long. */
import { statfsSync } from 'node:fs'
import { join } from 'node:path'
import { localNamesrvOptions, startNamesrv } from '../../src/cli/start-namesrv.ts'
import { ClientCore } from '../../src/client/core/client-core.ts'
import { Admin, Producer } from '../../src/client/index.ts'
import { resolveClientOptions } from '../../src/client/core/options.ts'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { seededRandom } from '../../src/lib/prng.ts'
import { SendLoad } from '../../src/load/send-load.ts'
import { BrokerProcess, freePorts, planGroup } from '../broker-process.ts'
import type { Bench, Measured, Metric, Scenario, Skipped } from '../scenario.ts'
import { sendThrough } from '../send-through.ts'

const NODES = 3
const LOG_BYTES = 5e9
const QUICK_LOG_BYTES = 2e8
const TOPIC = 'RaftmqBench'
const BODIES = { least: 1024, most: 65_536 }
const FILL_IN_FLIGHT = 256
/** Filling gives up below this. */
const SLOWEST_BYTES_PER_SECOND = 5e6
/** While nodes are stopped and killed: so that a kill finds the log being written. */
const RATE_PER_SECOND = 500
const ROUNDS = 3
const GIVE_UP_MS = 120_000

export const start5gb: Scenario = {
  name: 'start-5gb',
  title: `start of a node with ${LOG_BYTES / 1e9} GB of log, after a clean stop and after kill -9, under light load`,
  run: measure,
}

async function measure(bench: Bench): Promise<Measured | Skipped> {
  const bytes = bench.isQuick ? QUICK_LOG_BYTES : LOG_BYTES
  const wanted = bytes * (NODES + 0.2)
  const { bavail, bsize } = statfsSync(bench.dir)
  if (bavail * bsize < wanted) {
    return { skipped: `needs ${gigabytes(wanted)} in ${bench.dir}, there are ${gigabytes(bavail * bsize)}` }
  }
  const [port = 0] = await freePorts(1)
  const namesrv = await startNamesrv(localNamesrvOptions(bench.dir, port), silentLog)
  const address = `127.0.0.1:${port}`
  const plans = await planGroup({ nodes: NODES, dir: join(bench.dir, 'group'), flush: 'sync', namesrv: address })
  const nodes = plans.map((plan) => BrokerProcess.start(plan))
  const producer = new Producer({ namesrv: address, group: 'bench', compressOverBytes: Infinity })
  const admin = new Admin({ namesrv: address })
  try {
    await Promise.all(nodes.map((node) => node.ready()))
    await producer.start()
    await fill(bench, producer, bytes)
    await caughtUp(admin)
    return await restartAll({ bench, nodes, producer, admin, namesrv: address, bytes })
  } finally {
    await producer.close()
    admin.close()
    await Promise.all(nodes.map((node) => node.kill()))
    await namesrv.close()
  }
}

async function fill(bench: Bench, producer: Producer, bytes: number): Promise<void> {
  const random = seededRandom(1)
  const source = Buffer.alloc(BODIES.most, 'x')
  const progress = { stored: 0, told: 0 }
  const load = new SendLoad({
    clock: systemClock,
    producers: [producer],
    inFlight: FILL_IN_FLIGHT,
    message: () => ({ topic: TOPIC, body: source.subarray(0, random.integer(BODIES.least, BODIES.most)) }),
    onOutcome(_, __, error) {
      if (error === undefined) progress.stored += (BODIES.least + BODIES.most) / 2
    },
  })
  const endMs = systemClock.monotonicMs() + (bytes / SLOWEST_BYTES_PER_SECOND) * 1_000
  while (progress.stored < bytes) {
    await sleep(systemClock, 200)
    const { stored, told } = progress
    if (systemClock.monotonicMs() > endMs) {
      throw new Error(`only ${gigabytes(stored)} were stored: ${JSON.stringify(load.report().errors)}`)
    }
    if (stored - told < bytes / 10) continue
    progress.told = stored
    bench.say(`${gigabytes(stored)} of ${gigabytes(bytes)} stored`)
  }
  await load.stop()
}

interface Restarts {
  readonly bench: Bench
  /** Replaced as they are started again. */
  readonly nodes: BrokerProcess[]
  readonly producer: Producer
  readonly admin: Admin
  readonly namesrv: string
  readonly bytes: number
}

async function restartAll({ bench, nodes, producer, admin, namesrv, bytes }: Restarts): Promise<Measured> {
  const times = {
    clean: new Array<number>(),
    killed: new Array<number>(),
    open: new Array<number>(),
    forwarding: new Array<number>(),
  }
  const core = new ClientCore({ options: resolveClientOptions({ namesrv }) })
  const body = Buffer.alloc(BODIES.least, 'y')
  const load = new SendLoad({
    clock: systemClock,
    producers: [producer],
    inFlight: FILL_IN_FLIGHT,
    ratePerSecond: RATE_PER_SECOND,
    message: () => ({ topic: TOPIC, body }),
  })
  try {
    for (let round = 0; round < (bench.isQuick ? 1 : ROUNDS); round++) {
      for (const [at, node] of nodes.entries()) {
        const { plan } = node
        await node.stop()
        const stopped = (nodes[at] = BrokerProcess.start(plan))
        times.clean.push(await stopped.ready())
        await caughtUp(admin)
        const role = stopped.isLeader ? 'leader' : 'follower'
        await stopped.kill()
        const killed = (nodes[at] = BrokerProcess.start(plan))
        const [openMs, forwardingMs, readyMs] = await Promise.all([
          killed.listening(),
          killed.first('forwarding', () => sendThrough(core, `127.0.0.1:${plan.ports.client}`, TOPIC)),
          killed.ready(),
        ])
        times.open.push(openMs)
        times.forwarding.push(forwardingMs)
        times.killed.push(readyMs)
        await caughtUp(admin)
        const said = [times.clean, times.killed, times.open, times.forwarding].map(
          (all) => `${Math.round(all.at(-1) ?? 0)} ms`,
        )
        bench.say(
          `${plan.id} (${role}): ready after a stop ${said[0]}, after kill -9 ${said[1]} (port open ${said[2]}, forwarding ${said[3]})`,
        )
      }
    }
    const { failed, undecided } = load.report()
    await load.stop()
    const metric = (name: string, values: readonly number[], below?: number): Metric => ({
      name: `${gigabytes(bytes)} of log: ${name}`,
      unit: 'ms',
      values,
      ...(below === undefined ? {} : { bar: { kind: 'below', value: below, of: 'max' } }),
    })
    return {
      metrics: [
        metric('start → ready after a clean stop', times.clean, 1_000),
        metric('start → ready after kill -9', times.killed, 5_000),
        metric('start → port open after kill -9', times.open),
        metric('start → first send answered through its port after kill -9', times.forwarding, 1_000),
      ],
      notes: failed + undecided === 0 ? [] : [`${failed} sends failed, ${undecided} undecided meanwhile`],
    }
  } finally {
    core.close()
  }
}

/** Resolves when all nodes answer, and no follower lacks more than what is on its way. */
async function caughtUp(admin: Admin): Promise<void> {
  const endMs = systemClock.monotonicMs() + GIVE_UP_MS
  while (systemClock.monotonicMs() < endMs) {
    const nodes = await admin.nodes().catch(() => [])
    const lags = nodes.flatMap(({ runtime }) =>
      [...(runtime?.get('raftmq.followers') ?? '').matchAll(/"lagEntries":(\d+)/g)].map(([, lag]) => Number(lag)),
    )
    if (nodes.length === NODES && lags.length === NODES - 1 && lags.every((lag) => lag < 100)) return
    await sleep(systemClock, 50)
  }
  throw new Error(`the group is not whole after ${GIVE_UP_MS / 1000} s`)
}

const gigabytes = (bytes: number): string => `${Number((bytes / 1e9).toFixed(2))} GB`
