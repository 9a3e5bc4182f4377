import { Driver } from './driver.ts'
import type { Context, Scenario } from './scenario.ts'
import type { Target } from './target.ts'

export interface Result {
  readonly name: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  readonly seconds: number
  readonly notes: readonly string[]
  readonly reason?: string
}

async function limited(work: Promise<void>, timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

async function runOne(scenario: Scenario, target: Target, run: string): Promise<Result> {
  const reason = scenario.skip?.(target)
  if (reason !== undefined) return { name: scenario.name, outcome: 'skipped', seconds: 0, notes: [], reason }
  const drivers: Driver[] = []
  const notes: string[] = []
  const context: Context = {
    target,
    async driver(options) {
      const driver = await Driver.start({ ...options, namesrv: target.namesrv })
      drivers.push(driver)
      return driver
    },
    name: (stem) => `${stem}-${run}`,
    note: (text) => notes.push(text),
  }
  const begun = performance.now()
  const seconds = (): number => (performance.now() - begun) / 1_000
  try {
    await limited(scenario.run(context), scenario.timeoutMs ?? 90_000)
    return { name: scenario.name, outcome: 'passed', seconds: seconds(), notes }
  } catch (error) {
    const said = drivers.map((driver) => driver.said.trim()).filter((text) => text !== '')
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { name: scenario.name, outcome: 'failed', seconds: seconds(), notes, reason: [text, ...said].join('\n') }
  } finally {
    await Promise.all(drivers.map((driver) => driver.close()))
  }
}

const marks = { passed: '✓', failed: '✗', skipped: '-' } as const

function print(result: Result): void {
  const notes = [...result.notes, ...(result.outcome === 'skipped' ? [result.reason ?? ''] : [])].join('; ')
  console.log(
    `${marks[result.outcome]} ${result.name} (${result.seconds.toFixed(1)} s)${notes === '' ? '' : `  ${notes}`}`,
  )
  if (result.outcome === 'failed') console.log((result.reason ?? '').replaceAll(/^/gm, '    '))
}

/** Runs scenarios, `lanes` at a time, and prints each as it ends. */
export async function runScenarios(
  scenarios: readonly Scenario[],
  target: Target,
  { lanes, name }: { lanes: number; name: string },
): Promise<Result[]> {
  const results: Result[] = []
  const waiting = [...scenarios]
  let started = 0
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const result = await runOne(next, target, `${name}-${started++}`)
      results.push(result)
      print(result)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return results
}
