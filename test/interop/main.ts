import { type Options, readOptions, type RunOptions, type ServeOptions, type TargetName, USAGE } from './options.ts'
import { adminRefusals } from './scenarios/admin-refusals.ts'
import { adminTable } from './scenarios/admin-table.ts'
import { administer } from './scenarios/administer.ts'
import { consume } from './scenarios/consume.ts'
import { features } from './scenarios/features.ts'
import { differential } from './scenarios/differential.ts'
import { failover } from './scenarios/failover.ts'
import { go } from './scenarios/go.ts'
import { orderedPop, orderedPopFailover } from './scenarios/ordered-pop.ts'
import { packed } from './scenarios/package.ts'
import { pop, popFailover } from './scenarios/pop.ts'
import { produce } from './scenarios/produce.ts'
import { programs } from './scenarios/programs.ts'
import { requests } from './scenarios/requests.ts'
import { smokes } from './scenarios/smoke.ts'
import { slaves } from './scenarios/slaves.ts'
import { sql } from './scenarios/sql.ts'
import { timed, timedFailover } from './scenarios/timed.ts'
import { traces } from './scenarios/traces.ts'
import { kill } from './scenarios/kill/kill.ts'
import { orderly } from './scenarios/kill/orderly.ts'
import { requestsOverTwoNodes } from './scenarios/kill/requests.ts'
import { missingTool } from './support/maven.ts'
import { startDledger } from './support/dledger.ts'
import { startMixed } from './support/mixed.ts'
import { startRaftmq } from './support/raftmq.ts'
import { type Result, runScenarios } from './support/runner.ts'
import type { Scenario } from './support/scenario.ts'
import { startStock } from './support/stock.ts'
import type { Target } from './support/target.ts'
import { recordGolden } from './tools/record-golden.ts'

const together = [
  ...smokes,
  ...consume,
  ...produce,
  ...sql,
  ...requests,
  ...pop,
  ...orderedPop,
  ...programs,
  ...packed,
  ...administer,
  ...adminTable,
  ...adminRefusals,
  ...traces,
  ...differential,
  ...go,
  ...features,
  ...timed,
]
// What stops nodes or moves leadership disturbs the others.
const alone = [
  ...failover,
  ...popFailover,
  ...orderedPopFailover,
  ...timedFailover,
  ...slaves,
  ...kill,
  ...orderly,
  ...requestsOverTwoNodes,
]

function summary(results: readonly Result[]): string {
  const count = (outcome: Result['outcome']): number => results.filter((one) => one.outcome === outcome).length
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`
}

/** What can be tested: RaftMQ; the stock servers, to prove the harness; RaftMQ's name server with a stock broker; and the reverse. */
const targets: Readonly<Record<TargetName, (fillBytes: number) => Promise<Target>>> = {
  raftmq: (fillBytes) => startRaftmq({ fillBytes }),
  stock: () => startStock(),
  mixed: () => startMixed(),
  dledger: () => startDledger(),
}

/** True when no scenario failed. */
async function run({ target: name, only, lanes, repeat, fillGigabytes }: RunOptions): Promise<boolean> {
  const missing = await missingTool()
  const chosen = (scenario: Scenario): boolean => only.length === 0 || only.some((text) => scenario.name.includes(text))
  if (missing !== undefined) {
    console.log(`interop is skipped: ${missing} is not installed`)
    console.log(`0 passed, 0 failed, ${[...together, ...alone].filter(chosen).length} skipped`)
    return true
  }
  const target = await targets[name](fillGigabytes * 1e9)
  const interrupted = (): void => {
    void target.close().finally(() => process.exit(1))
  }
  process.once('SIGTERM', interrupted).once('SIGINT', interrupted)
  const started = Math.floor(performance.timeOrigin).toString(36)
  try {
    const results: Result[] = []
    for (let turn = 0; turn < repeat; turn++) {
      const pick = (scenarios: readonly Scenario[]): Scenario[] => scenarios.filter(chosen)
      const suffix = `${started}-${turn}`
      results.push(...(await runScenarios(pick(together), target, { lanes, name: suffix })))
      results.push(...(await runScenarios(pick(alone), target, { lanes: 1, name: `${suffix}-alone` })))
    }
    const failed = results.some(({ outcome }) => outcome === 'failed')
    if (failed) console.log(`\nWhat the servers said last:\n${target.said()}`)
    console.log(`\n${summary(results)}`)
    return !failed
  } finally {
    await target.close()
  }
}

/** Keeps a stock name server and broker up until Ctrl-C. */
async function serve({ namesrvPort, brokerPort }: ServeOptions): Promise<boolean> {
  const stock = await startStock({
    ...(namesrvPort === undefined ? {} : { namesrvPort }),
    ...(brokerPort === undefined ? {} : { brokerPort }),
  })
  console.log(`stock RocketMQ is up: name server ${stock.namesrv}`)
  await new Promise((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve))
  await stock.close()
  return true
}

/** True when nothing failed. */
async function act(options: Options): Promise<boolean> {
  if (options === 'help') {
    console.log(USAGE)
    return true
  }
  if (options.verb === 'run') return run(options)
  if (options.verb === 'serve') return serve(options)
  await recordGolden()
  return true
}

const names = [...together, ...alone].map(({ name }) => name)
try {
  process.exit((await act(readOptions(process.argv.slice(2), names))) ? 0 : 1)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}
