import { describe, expect, test } from 'vitest'
import type { LoadFigures } from '../../bench/load/workload.ts'
import { type Comparison, comparisons } from '../../bench/peers/comparisons.ts'
import { judgedSoFar, outcomeOf, roundLines, type Turns } from '../../bench/peers/outcome.ts'
import { isReached } from '../../bench/tables.ts'

const FSYNC_MS = 0.1

function comparison(name: string): Comparison {
  const found = comparisons.find((one) => one.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

/** Every workload of every entrant with these rates, one for each round, and p50 in ms. */
function turnsOf(
  { entrants }: Comparison,
  rates: Readonly<Record<string, readonly number[]>>,
  p50: Readonly<Record<string, number>> = {},
): Turns {
  return new Map(
    entrants.map(({ key, workloads }) => [
      key,
      (rates[key] ?? [1]).map((rate) => {
        const latency = p50[key] ?? 1
        const figures: LoadFigures = {
          messages: rate * 10,
          failed: 0,
          seconds: 10,
          p50: latency,
          p99: 2,
          p999: 3,
          max: 4,
        }
        const cpu = [
          { role: 'leader', micros: 8 },
          { role: 'follower', micros: 3 },
          { role: 'follower', micros: 5 },
        ]
        return {
          workloads: new Map(workloads.map(({ name }) => [name, { figures, cpu }])),
          memory: [
            { rssMegabytes: 90, unmappedMegabytes: 50 },
            { rssMegabytes: 120, unmappedMegabytes: 40 },
          ],
        }
      }),
    ]),
  )
}

const verdict = (compared: Comparison, turns: Turns, name: RegExp): boolean | undefined => {
  const metric = outcomeOf(compared, turns, FSYNC_MS).metrics.find((one) => name.test(one.name))
  if (metric === undefined) throw new Error(`there is no figure ${name}`)
  return isReached(metric)
}

describe('a comparison', () => {
  const dledger = comparison('dledger')
  const saturated = /^64 sync threads.*RaftMQ ÷ DLedger/

  test('holds the median of the rounds against its bar', () => {
    const rates = { 'null broker': [1_000, 1_000, 1_000], RaftMQ: [50, 400, 500], DLedger: [100, 100, 100] }
    expect(verdict(dledger, turnsOf(dledger, rates), saturated)).toBe(true)
    expect(verdict(dledger, turnsOf(dledger, { ...rates, RaftMQ: [50, 399, 500] }), saturated)).toBe(false)
  })

  test('counts a bar as reached by the share of the ceiling, and says so', () => {
    const rates = { 'null broker': [400, 400, 400], RaftMQ: [330, 330, 330], DLedger: [100, 100, 100] }
    const { metrics } = outcomeOf(dledger, turnsOf(dledger, rates), FSYNC_MS)
    const ratio = metrics.find(({ name }) => saturated.test(name))
    expect(ratio?.bar).toMatchObject({ value: 4, or: 'by the share of the ceiling' })
  })

  test('tells the largest node, and processor time of the leader and of the mean of the others', () => {
    const { metrics } = outcomeOf(dledger, turnsOf(dledger, {}), FSYNC_MS)
    const valuesOf = (name: RegExp): readonly number[] | undefined => metrics.find((one) => name.test(one.name))?.values
    expect(valuesOf(/^RaftMQ: memory of the largest/)).toEqual([120])
    expect(valuesOf(/^RaftMQ: the same without mapped files/)).toEqual([50])
    expect(valuesOf(/^RaftMQ: 64 sync threads.*of the leader/)).toEqual([8])
    expect(valuesOf(/^RaftMQ: 64 sync threads.*of each other node/)).toEqual([4])
  })

  test('of latencies with what syncing costs adds two durable writes of this disk to the bar', () => {
    const nats = comparison('nats')
    const difference = /p50: RaftMQ sync flush − NATS/
    const p50 = { NATS: 0.5, 'RaftMQ sync flush': 0.69 }
    expect(verdict(nats, turnsOf(nats, {}, p50), difference)).toBe(true)
    expect(verdict(nats, turnsOf(nats, {}, { ...p50, 'RaftMQ sync flush': 0.71 }), difference)).toBe(false)
  })

  test('tells after each round what it said, and which ratios are judged', () => {
    const turns = turnsOf(dledger, { RaftMQ: [300, 500], DLedger: [100, 100] })
    expect(roundLines(dledger, turns)[0]).toBe('64 sync threads, 128 B, rate: RaftMQ ÷ DLedger: 5 ×')
    expect(judgedSoFar(dledger, turns, FSYNC_MS)[0]).toMatchObject({ ratios: [3, 5], bar: { value: 4 } })
  })

  test('draws everybody beside each other', () => {
    const [rates] = outcomeOf(dledger, turnsOf(dledger, { DLedger: [100, 200, 300] }), FSYNC_MS).plots ?? []
    expect(rates?.series.map(({ name }) => name)).toEqual(['null broker', 'RaftMQ', 'DLedger'])
    expect(rates?.series.at(-1)?.points[0]).toEqual([0, 200])
  })
})
