/** Scenario `sizes`: from small messages to large ones, held against what the disk writes sequentially. */
import { join } from 'node:path'
import { sequentialWriteRate } from '../disk.ts'
import { saturating } from '../load/loads.ts'
import { quickWorkload } from '../load/workload.ts'
import { NodeCluster } from '../node-cluster.ts'
import type { Bench, Measured, Scenario } from '../scenario.ts'

const SIZES = [128, 512, 1_024, 4_096, 16_384, 65_536]
const NODES = 3
const RUNS = 3
const PROBE_BYTES = 1024 * 1024 * 1024
const QUICK_PROBE_BYTES = 64 * 1024 * 1024

export const sizes: Scenario = {
  name: 'sizes',
  title: `bodies of 128 B to 64 KiB, ${NODES} nodes on one disk, sync flush, sync replication`,
  run: measure,
}

interface Row {
  readonly size: number
  readonly rates: number[]
  /** Payload bytes a second × copies, of what the disk writes sequentially. */
  readonly shares: number[]
}

async function measure(bench: Bench): Promise<Measured> {
  const rows: readonly Row[] = SIZES.map((size) => ({ size, rates: [], shares: [] }))
  const disk: number[] = []
  for (let number = 1; number <= (bench.isQuick ? 1 : RUNS); number++) {
    for (const { size, rates, shares } of rows) {
      const probe = sequentialWriteRate(bench.dir, bench.isQuick ? QUICK_PROBE_BYTES : PROBE_BYTES)
      const cluster = await NodeCluster.start({
        nodes: NODES,
        dir: join(bench.dir, `${size}-${number}`),
        flush: 'sync',
      })
      try {
        const workload = saturating(`of${size}`, { bodyBytes: size, warmSeconds: 2, seconds: 5 })
        const { messages, seconds } = await cluster.loadOne(bench, bench.isQuick ? quickWorkload(workload) : workload)
        disk.push(probe)
        rates.push(messages / seconds)
        shares.push(((messages / seconds) * size * NODES) / probe)
        bench.say(
          `${size} B, run ${number}: ${Math.round(messages / seconds)}/s, on ${NODES} disks ${megabytes((messages / seconds) * size * NODES)}, the disk alone ${megabytes(probe)}`,
        )
      } finally {
        await cluster.close()
      }
    }
  }
  const largest = SIZES.at(-1)
  return {
    metrics: [
      { name: 'the disk alone, one sequential write', unit: 'MB/s', values: disk.map((rate) => rate / 1e6) },
      ...rows.flatMap(({ size, rates, shares }) => [
        { name: `${sizeText(size)}: acknowledged`, unit: '/s', values: rates },
        {
          name: `${sizeText(size)}: payload × ${NODES} copies, of what the disk writes`,
          unit: '×',
          values: shares,
          ...(size === largest ? { bar: { kind: 'least', value: 0.5, of: 'median' } as const } : {}),
        },
      ]),
    ],
    notes: [],
    plots: [
      {
        title: 'Throughput against message size (sync flush, sync replication)',
        kind: 'lines',
        x: { label: 'body', unit: 'B', isLog: true },
        y: { label: 'acknowledged', unit: 'messages/s' },
        series: [{ name: '', points: rows.map(({ size, rates }) => [size, rates.at(-1) ?? 0]) }],
      },
      {
        title: `Payload × ${NODES} copies against message size`,
        kind: 'lines',
        x: { label: 'body', unit: 'B', isLog: true },
        y: { label: 'written', unit: 'MB/s' },
        series: [
          {
            name: 'RaftMQ',
            points: rows.map(({ size, rates }) => [size, ((rates.at(-1) ?? 0) * size * NODES) / 1e6]),
          },
          { name: 'the disk alone', points: SIZES.map((size) => [size, Math.max(...disk.slice(-1)) / 1e6]) },
        ],
      },
    ],
  }
}

const sizeText = (size: number): string => (size < 1_024 ? `${size} B` : `${size / 1_024} KiB`)
const megabytes = (bytesPerSecond: number): string => `${Math.round(bytesPerSecond / 1e6)} MB/s`
