/** Scenario `start`: how long a node and a cluster with empty folders take, and the memory of one that has nothing to do. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { LocalProcesses } from '../../chaos/local-processes.ts'
import { localNamesrvOptions, startNamesrv } from '../../src/cli/start-namesrv.ts'
import { ClientCore } from '../../src/client/core/client-core.ts'
import { Producer } from '../../src/client/index.ts'
import { resolveClientOptions } from '../../src/client/core/options.ts'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { BrokerProcess, freePorts, planGroup } from '../broker-process.ts'
import { rssMegabytesOf } from '../process-usage.ts'
import type { Bar, Bench, Measured, Metric, Scenario } from '../scenario.ts'
import { sendThrough } from '../send-through.ts'

const RUNS = 7
const IDLE_MS = 5_000

const below = (value: number, of: Bar['of']): Bar => ({ kind: 'below', value, of })

export const start: Scenario = {
  name: 'start',
  title: 'start of a node and of a cluster with empty folders; memory of idle nodes',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const [port = 0] = await freePorts(1)
  const namesrv = await startNamesrv(localNamesrvOptions(bench.dir, port), silentLog)
  const address = `127.0.0.1:${port}`
  try {
    const bare: number[] = []
    const ready: number[] = []
    const listening: number[] = []
    const acknowledged: number[] = []
    const up: number[] = []
    const runs = bench.isQuick ? 2 : RUNS
    for (let run = 1; run <= runs; run++) {
      bare.push(bareNodeMs())
      const plans = { flush: 'sync', namesrv: address } as const
      const [alone] = await planGroup({ ...plans, nodes: 1, dir: join(bench.dir, `alone-${run}`) })
      const [member] = await planGroup({ ...plans, nodes: 3, dir: join(bench.dir, `member-${run}`) })
      if (alone === undefined || member === undefined) throw new Error('a group has a first node')
      ready.push(await timed(BrokerProcess.start(alone), (node) => node.ready()))
      const [sender] = await planGroup({ ...plans, nodes: 1, dir: join(bench.dir, `sender-${run}`) })
      if (sender !== undefined) acknowledged.push(await timed(BrokerProcess.start(sender), firstSend))
      up.push(await upUntilFirstSend(bench, join(bench.dir, `up-${run}`)))
      listening.push(await timed(BrokerProcess.start(member), (node) => node.listening()))
    }
    bench.say(`${runs} starts measured; now ${IDLE_MS / 1000} s of idleness`)
    const group = await planGroup({ flush: 'sync', namesrv: address, nodes: 3, dir: join(bench.dir, 'group') })
    const { formedMs, rss } = await idleGroup(group.map((plan) => BrokerProcess.start(plan)))
    const metrics: Metric[] = [
      { name: 'single node: process start → ready for traffic', unit: 'ms', values: ready, bar: below(400, 'median') },
      {
        name: 'single node: process start → first send acknowledged',
        unit: 'ms',
        values: acknowledged,
        bar: below(400, 'median'),
      },
      {
        name: '`raftmq up`, three nodes: process start → first send acknowledged',
        unit: 'ms',
        values: up,
        bar: below(1_500, 'median'),
      },
      {
        name: 'one node of three: process start → port open',
        unit: 'ms',
        values: listening,
        bar: below(400, 'median'),
      },
      { name: 'three nodes at once: process start → all ready', unit: 'ms', values: [formedMs] },
      { name: 'for comparison: node with nothing to do, start → end', unit: 'ms', values: bare },
      ...(rss.length === 0
        ? []
        : [{ name: 'idle memory (RSS) of each of three nodes', unit: 'MB', values: rss, bar: below(90, 'max') }]),
    ]
    return { metrics, notes: [] }
  } finally {
    await namesrv.close()
  }
}

async function timed(node: BrokerProcess, measureNode: (node: BrokerProcess) => Promise<number>): Promise<number> {
  try {
    return await measureNode(node)
  } finally {
    await node.kill()
  }
}

async function firstSend(node: BrokerProcess): Promise<number> {
  const core = new ClientCore({ options: resolveClientOptions({ namesrv: '127.0.0.1:1' }) })
  try {
    return await node.first('taking sends', () => sendThrough(core, `127.0.0.1:${node.plan.ports.client}`, 'First'))
  } finally {
    core.close()
  }
}

/** As a person who types it: the command, and a producer when it says that it is ready. */
async function upUntilFirstSend({ children }: Bench, dir: string): Promise<number> {
  const startMs = systemClock.monotonicMs()
  const cluster = await LocalProcesses.start({
    nodes: 3,
    dir,
    flush: 'sync',
    replication: 'sync',
    spawn: (command, args, options) => children.start(command, args, options),
  })
  const producer = new Producer({ namesrv: cluster.namesrv, group: 'bench' })
  try {
    await producer.start()
    await producer.send({ topic: 'First', body: Buffer.from('first') })
    return systemClock.monotonicMs() - startMs
  } finally {
    await producer.close()
    await cluster.stop()
  }
}

async function idleGroup(nodes: readonly BrokerProcess[]): Promise<{ formedMs: number; rss: readonly number[] }> {
  try {
    const readyMs = await Promise.all(nodes.map((node) => node.ready()))
    await sleep(systemClock, IDLE_MS)
    return { formedMs: Math.max(...readyMs), rss: nodes.flatMap(({ pid }) => rssMegabytesOf(pid) ?? []) }
  } finally {
    await Promise.all(nodes.map((node) => node.kill()))
  }
}

function bareNodeMs(): number {
  const startMs = systemClock.monotonicMs()
  execFileSync(process.execPath, ['-e', '0'])
  return systemClock.monotonicMs() - startMs
}
