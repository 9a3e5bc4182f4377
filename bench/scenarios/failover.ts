/** Scenario `failover`: the experiment `kill-leader` of the chaos suite, with its figures. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Bench, Measured, Scenario } from '../scenario.ts'

const KILLS = 20
const ACKS = 5_000

export const failover: Scenario = {
  name: 'failover',
  title: `kill -9 of the leader under load, ${KILLS} times: how long sends wait, and what is lost`,
  run: measure,
}

async function measure(bench: Bench): Promise<Measured> {
  const plan = ['--kills', String(bench.isQuick ? 2 : KILLS), '--acks', String(bench.isQuick ? 1_000 : ACKS)]
  const lines = await chaos(['kill-leader', ...plan, '--keep'], bench)
  const kept = lines.flatMap((line) => /^kept: (.+)$/.exec(line)?.[1] ?? []).at(-1)
  if (kept === undefined) throw new Error(lines.at(-2) ?? 'the experiment said nothing')
  const { gapsMs, acknowledged, leastAcknowledged, lost } = readReport(readFileSync(join(kept, 'report.json'), 'utf8'))
  return {
    metrics: [
      {
        name: 'kill -9 of the leader: longest gap between acknowledgements (median)',
        unit: 'ms',
        values: gapsMs,
        bar: { kind: 'below', value: 1_000, of: 'median' },
      },
      {
        name: 'kill -9 of the leader: longest gap between acknowledgements (maximum)',
        unit: 'ms',
        values: gapsMs,
        bar: { kind: 'below', value: 2_000, of: 'max' },
      },
      {
        name: 'kill -9 of the leader: acknowledged messages lost',
        unit: '',
        values: [lost],
        bar: { kind: 'most', value: 0, of: 'median' },
      },
      { name: 'acknowledged messages checked', unit: '', values: [acknowledged] },
      { name: 'acknowledged after a kill, at least', unit: '', values: [leastAcknowledged] },
    ],
    notes: lines.filter((line) => /^(passed|failed): (?!the longest gap)/.test(line)),
  }
}

function chaos(args: readonly string[], { dir, say }: Bench): Promise<readonly string[]> {
  const main = fileURLToPath(new URL('../../chaos/main.js', import.meta.url))
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: dir, TEMP: dir },
  })
  let text = ''
  let told = 0
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
    for (let end = text.indexOf('\n', told); end !== -1; end = text.indexOf('\n', told)) {
      say(text.slice(told, end))
      told = end + 1
    }
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve(text.trim().split('\n')))
  })
}

export interface FailoverReport {
  readonly gapsMs: readonly number[]
  readonly acknowledged: number
  /** Of the kill with the fewest. */
  readonly leastAcknowledged: number
  /** Lost and moved ones: acknowledged, and not where they were said to be. */
  readonly lost: number
}

/** Reads the `report.json` of the experiment. */
export function readReport(text: string): FailoverReport {
  const document: unknown = JSON.parse(text)
  const kills = at(document, 'kills')
  if (!Array.isArray(kills) || kills.length === 0) throw new Error('the report names no kills')
  const report = at(document, 'report')
  const counts = at(report, 'counts')
  return {
    gapsMs: kills.map((kill: unknown) => Number(at(kill, 'longestGapMs'))),
    acknowledged: Number(at(report, 'acknowledged')),
    leastAcknowledged: Math.min(...kills.map((kill: unknown) => Number(at(kill, 'acknowledged')))),
    lost: Number(at(counts, 'lost')) + Number(at(counts, 'moved')),
  }
}

function at(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) throw new Error(`no ${name}`)
  return new Map<string, unknown>(Object.entries(value)).get(name)
}
