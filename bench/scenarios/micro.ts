/** Scenario `micro`: parts of the product by themselves, in this process. What `baseline.json` is compared with. */
import { join } from 'node:path'
import { benchAppend, benchOpen, benchRead, type CommitLogResult } from '../commit-log.ts'
import { benchConsumeQueue, type ConsumeQueueResult } from '../consume-queue.ts'
import type { MicroFigure } from '../micro-figure.ts'
import { benchRaftCore } from '../raft-core.ts'
import { benchRecord } from '../record.ts'
import { benchRemoting } from '../remoting.ts'
import type { Bench, Measured, Metric, Scenario } from '../scenario.ts'

const SAMPLES = 9
const QUICK_SAMPLES = 3
const DISK_SAMPLES = 3
const RECORDS_PER_ENTRY = 1000
const WAITING = 64

export const micro: Scenario = {
  name: 'micro',
  title: 'parts by themselves: Raft, headers and frames, records, the CommitLog, group commit, consume queues',
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const samples = bench.isQuick ? QUICK_SAMPLES : SAMPLES
  const raft = await benchRaftCore({ samples })
  bench.say('Raft measured')
  const remoting = benchRemoting({ samples })
  bench.say('headers and frames measured')
  const records = benchRecord({ samples })
  bench.say('records measured')
  const queues = await consumeQueues(bench)
  bench.say('consume queues measured')
  const log = await commitLog(bench)
  return {
    metrics: [...[...raft, ...remoting, ...records, ...queues].map(metricOf), ...log, ...(await groupCommit(bench))],
    notes: [],
  }
}

const metricOf = ({ name, nanoseconds }: MicroFigure): Metric => ({ name, unit: 'ns', values: nanoseconds })

async function consumeQueues(bench: Bench): Promise<readonly MicroFigure[]> {
  const entries = bench.isQuick ? 500 : 4_000
  const figures: MicroFigure[] = []
  for (const queues of [1, 1_000]) {
    const results: ConsumeQueueResult[] = []
    for (let sample = 0; sample < DISK_SAMPLES; sample++) {
      results.push(await benchConsumeQueue({ folder: join(bench.dir, `queues-${queues}-${sample}`), queues, entries }))
    }
    const of = (name: string, rate: (result: ConsumeQueueResult) => number): MicroFigure => ({
      name: `consume queues (${queues}): ${name}`,
      nanoseconds: results.map((result) => 1e9 / rate(result)),
    })
    figures.push(
      of('dispatch a record', (result) => result.dispatchesPerSecond),
      of('pull a record, 32 at a time', (result) => result.pulledPerSecond),
    )
  }
  return figures
}

async function commitLog(bench: Bench): Promise<readonly Metric[]> {
  const entries = bench.isQuick ? 100 : 1_000
  const metrics: Metric[] = []
  for (const mode of ['async', 'sync'] as const) {
    const results: CommitLogResult[] = []
    const path = (sample: number): string => join(bench.dir, `log-${mode}-${sample}`)
    for (let sample = 0; sample < DISK_SAMPLES; sample++) {
      const append = { mode, entries, recordsPerEntry: RECORDS_PER_ENTRY, ahead: 8 }
      results.push(await benchAppend({ ...append, folder: path(sample) }))
      bench.say(`CommitLog, ${mode} flush: ${results.at(-1)?.recordsPerSecond} records/s`)
    }
    const of = (name: string, unit: string, value: (result: CommitLogResult) => number): Metric => ({
      name: `CommitLog, ${mode} flush: ${name}`,
      unit,
      values: results.map(value),
    })
    metrics.push(
      of('processor time of a record', 'ns', (result) => result.cpuMicrosPerRecord * 1000),
      of('append until stable, p50', 'ms', (result) => result.flushMs.p50),
      of('append until stable, p99', 'ms', (result) => result.flushMs.p99),
      of('appended', 'records/s', (result) => result.recordsPerSecond),
    )
    if (mode === 'sync') {
      const { megabytesPerSecond } = await benchRead(path(0))
      const clean = await benchOpen(path(1), false)
      const killed = await benchOpen(path(1), true)
      metrics.push(
        { name: 'CommitLog: read as a peer that is behind', unit: 'MB/s', values: [megabytesPerSecond] },
        { name: 'CommitLog: open after a clean stop', unit: 'ms', values: [clean.openMs] },
        { name: 'CommitLog: open after a kill', unit: 'ms', values: [killed.openMs] },
      )
    }
  }
  return metrics
}

/** Many small entries that wait for the disk at the same time: what one of them costs when a flush takes them together. */
async function groupCommit(bench: Bench): Promise<readonly Metric[]> {
  const entries = bench.isQuick ? 2_000 : 20_000
  const nanoseconds: number[] = []
  for (let sample = 0; sample < DISK_SAMPLES; sample++) {
    const append = { mode: 'sync', entries, recordsPerEntry: 1, ahead: WAITING } as const
    const { cpuMicrosPerRecord } = await benchAppend({ ...append, folder: join(bench.dir, `group-commit-${sample}`) })
    nanoseconds.push(cpuMicrosPerRecord * 1_000)
  }
  return [metricOf({ name: `group commit: an entry of one record, ${WAITING} waiting`, nanoseconds })]
}
