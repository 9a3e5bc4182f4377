/** Scenario `failover`: `kill-leader` of the chaos suite, with its figures. */
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
  const out = join(bench.dir, 'failover')
  const plan = ['--rounds', String(bench.isQuick ? 2 : KILLS), '--acks', String(bench.isQuick ? 1_000 : ACKS)]
  const lines = await chaos(['--scenario', 'kill-leader', '--rate', '5000', ...plan, '--out', out], bench)
  const { gapsMs, acknowledged, lost } = readReport(readFileSync(`${out}.json`, 'utf8'))
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
    ],
    notes: lines.filter((line) => /^(passed|failed): /.test(line)),
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
  readonly lost: number
}

/** Reads the JSON report of the one scenario. */
export function readReport(text: string): FailoverReport {
  const results: unknown = JSON.parse(text)
  const result: unknown = Array.isArray(results) ? results[0] : undefined
  const rounds = at(result, 'rounds')
  if (!Array.isArray(rounds) || rounds.length === 0) throw new Error('the report names no kills')
  return {
    gapsMs: rounds.map((round: unknown) => Number(at(round, 'gapMs'))),
    acknowledged: Number(at(result, 'acknowledged')),
    lost: Number(at(result, 'lost')),
  }
}

function at(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) throw new Error(`no ${name}`)
  return new Map<string, unknown>(Object.entries(value)).get(name)
}
