/** Scenario `groups`: several broker groups on this host, and what a message costs in each number of them. */
import { join } from 'node:path'
import { Admin } from '../../src/client/index.ts'
import { IN_FLIGHT, saturating } from '../load/loads.ts'
import { quickWorkload } from '../load/workload.ts'
import { NodeCluster, TOPIC } from '../node-cluster.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'
import { cpuMicrosOf } from '../process-usage.ts'

const COUNTS = [1, 2, 3, 4]
const QUEUES_OF_A_GROUP = 4
const RUNS = 3

export const groups: Scenario = {
  name: 'groups',
  title:
    '1 to 4 broker groups of 3 nodes on this host, one topic over all of them, 128 B, sync flush, sync replication',
  run: measure,
}

interface Row {
  readonly count: number
  readonly rates: number[]
  /** Processor time of all nodes for a message. */
  readonly micros: number[]
}

async function measure(bench: Bench): Promise<Measured> {
  const rows: readonly Row[] = COUNTS.map((count) => ({ count, rates: [], micros: [] }))
  for (let number = 1; number <= (bench.isQuick ? 1 : RUNS); number++) {
    for (const { count, rates, micros } of rows) {
      const { rate, microsPerMessage } = await runOnce(bench, count, join(bench.dir, `${count}-${number}`))
      rates.push(rate)
      micros.push(microsPerMessage)
      bench.say(`${count} groups, run ${number}: ${Math.round(rate)}/s, ${microsPerMessage.toFixed(1)} µs a message`)
    }
  }
  const [one] = rows
  return {
    metrics: rows.flatMap(({ count, rates, micros }) => [
      { name: `${count} groups: acknowledged`, unit: '/s', values: rates },
      { name: `${count} groups: processor time of all nodes for a message`, unit: 'µs', values: micros },
      ...(count === 1
        ? []
        : [
            {
              name: `${count} groups: processor time for a message, of one group's`,
              unit: '×',
              values: micros.map((value, round) => value / (one?.micros[round] ?? Number.NaN)),
              bar: { kind: 'most', value: 1.15, of: 'median' } as const,
            },
          ]),
    ]),
    notes: [],
    plots: [
      {
        title: 'Throughput against broker groups on this host',
        kind: 'lines',
        x: { label: 'groups of 3 nodes', unit: '' },
        y: { label: 'acknowledged', unit: 'messages/s' },
        series: [{ name: '', points: rows.map(({ count, rates }) => [count, rates.at(-1) ?? 0]) }],
      },
      {
        title: 'Processor time of all nodes for a message against broker groups',
        kind: 'lines',
        x: { label: 'groups of 3 nodes', unit: '' },
        y: { label: 'processor time', unit: 'µs' },
        series: [{ name: '', points: rows.map(({ count, micros }) => [count, micros.at(-1) ?? 0]) }],
      },
    ],
  }
}

async function runOnce(
  bench: Bench,
  brokers: number,
  dir: string,
): Promise<{ readonly rate: number; readonly microsPerMessage: number }> {
  const cluster = await NodeCluster.start({ nodes: 3, brokers, dir, flush: 'sync' })
  const admin = new Admin({ namesrv: cluster.namesrv })
  try {
    await admin.createTopic({ topic: TOPIC, queues: QUEUES_OF_A_GROUP })
    const cpu = (): number => cluster.processes.reduce((sum, { pid }) => sum + (cpuMicrosOf(pid) ?? Number.NaN), 0)
    let [before, after] = [0, 0]
    // As deep for each group: what is measured is the group, not how thin one load is spread.
    const workload = saturating('saturated', { inFlight: IN_FLIGHT * brokers })
    const figures = await cluster.load(bench, {
      workloads: [bench.isQuick ? quickWorkload(workload) : workload],
      onBegin: () => (before = cpu()),
      onEnd: () => (after = cpu()),
    })
    const { messages = 0, seconds = 1 } = figures.get(workload.name) ?? {}
    return { rate: messages / seconds, microsPerMessage: (after - before) / messages }
  } finally {
    admin.close()
    await cluster.close()
  }
}
