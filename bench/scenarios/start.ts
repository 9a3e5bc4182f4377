/** Scenario `start`: how long a node with an empty folder takes, and the memory of one that has nothing to do. */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { localNamesrvOptions, startNamesrv } from '../../src/cli/start-namesrv.ts'
import { sleep, systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { BrokerProcess, freePorts, planGroup } from '../broker-process.ts'
import { rssMegabytesOf } from '../process-usage.ts'
import type { Bar, Bench, Measured, Metric, Scenario } from '../scenario.ts'

const RUNS = 7
const IDLE_MS = 5_000

const below = (value: number, of: Bar['of']): Bar => ({ kind: 'below', value, of })

export const start: Scenario = {
  name: 'start',
  title: 'start of a node with an empty folder; memory of idle nodes',
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
    const runs = bench.isQuick ? 2 : RUNS
    for (let run = 1; run <= runs; run++) {
      bare.push(bareNodeMs())
      const plans = { flush: 'sync', namesrv: address } as const
      const [alone] = await planGroup({ ...plans, nodes: 1, dir: join(bench.dir, `alone-${run}`) })
      const [member] = await planGroup({ ...plans, nodes: 3, dir: join(bench.dir, `member-${run}`) })
      if (alone === undefined || member === undefined) throw new Error('a group has a first node')
      ready.push(await timed(BrokerProcess.start(alone), (node) => node.ready()))
      listening.push(await timed(BrokerProcess.start(member), (node) => node.listening()))
    }
    bench.say(`${runs} starts measured; now ${IDLE_MS / 1000} s of idleness`)
    const group = await planGroup({ flush: 'sync', namesrv: address, nodes: 3, dir: join(bench.dir, 'group') })
    const { formedMs, rss } = await idleGroup(group.map((plan) => BrokerProcess.start(plan)))
    const metrics: Metric[] = [
      { name: 'single node: process start → ready for traffic', unit: 'ms', values: ready, bar: below(400, 'median') },
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
