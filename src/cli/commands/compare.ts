import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { FULL, parametersText, planOf, QUICK, remaining, type Parameters } from '../../compare/plan.ts'
import { type Comparison, FORMAT } from '../../compare/results.ts'
import { runComparison, type Progress } from '../../compare/run.ts'
import { summaries } from '../../compare/summary.ts'
import { lossRows, speedRows, troubles, type Rows } from '../../compare/tables.ts'
import { integerArgument } from '../arguments.ts'
import { MAX_NODES } from '../cluster-plan.ts'
import { readComparison, saveComparison } from '../compare-folder.ts'
import { ComparedGroups } from '../experiments/compared-groups.ts'
import { lockFolder } from '../folder-lock.ts'
import { machineFacts } from '../machine-facts.ts'
import { makeFolder } from '../make-folder.ts'
import { note, positive, print, processIo, table } from './client-io.ts'
import type { ClientIo } from './client-io.ts'

interface CompareFlags {
  readonly quick?: boolean
  readonly nodes?: number
  readonly rounds?: number
  readonly kills?: number
  readonly seconds?: number
  readonly rate?: number
  readonly out: string
  readonly fresh?: boolean
  readonly json?: boolean
}

const INTERRUPTED_EXIT_CODE = 130

export function register(program: Command, io: ClientIo = processIo()): void {
  program
    .command('compare')
    .summary('compare the flush and replication modes on this machine: how fast, how safe')
    .description(
      'Starts a group in every flush × replication mode, and a single node, one after the other, as processes on ' +
        '127.0.0.1: measures throughput, latency at a fixed rate and bytes written, kills the leader, cuts the power of ' +
        'all nodes (simulated: what was not synced is gone) and counts what is lost of what was acknowledged. Ends with ' +
        'a table and leaves compare.html, compare.json and compare.md in --out. After Ctrl-C the same command goes on. ' +
        'About ten minutes; nothing else should run meanwhile.',
    )
    .option('--quick', 'one round of short ones, in about two minutes: figures of little weight')
    .option('--nodes <n>', 'nodes of the group', integerArgument(1, MAX_NODES))
    .option('--rounds <n>', 'how often each setup has its turn', integerArgument(1, 100))
    .option('--kills <n>', 'kills of the leader, and power cuts, of each setup in each round', integerArgument(1, 100))
    .option('--seconds <s>', 'how long each load is measured', positive)
    .option('--rate <n>', 'messages a second, for latency and under faults', integerArgument(1, 100_000))
    .option('--out <dir>', 'folder for results; the nodes write to its disk', 'raftmq-compare')
    .option('--fresh', 'forget the results in the folder')
    .option('--json', 'print the results as one JSON document')
    .addHelpText('after', `\nDefaults: ${parametersText(FULL)}\n--quick:  ${parametersText(QUICK)}`)
    .action(async (flags: CompareFlags) => compare(flags, io, program.version() ?? ''))
}

async function compare(flags: CompareFlags, io: ClientIo, version: string): Promise<void> {
  const parameters = parametersOf(flags)
  const dir = resolve(flags.out)
  makeFolder(dir)
  const lock = await lockFolder(dir)
  try {
    const found = flags.fresh === true ? undefined : readComparison(dir, { parameters, version })
    const total = planOf(parameters).length
    if (found !== undefined) note(io, foundText(found, flags.out))
    const begun = found ?? begin(dir, { parameters, version, clock: io.clock })
    const comparison = await run(begun, dir, io)
    if (comparison.results.length < total) return interrupted(comparison, flags.out, io)
    // What was measured before is shown as this version shows it.
    saveComparison(dir, comparison)
    const isSound = troubles(summaries(comparison)).length === 0
    await print(io, flags.json === true ? `${JSON.stringify(comparison)}\n` : report(comparison))
    note(io, `page: ${join(flags.out, 'compare.html')}`)
    if (!isSound) process.exitCode = 1
  } finally {
    await lock.release()
  }
}

function parametersOf({ quick, nodes, rounds, kills, seconds, rate }: CompareFlags): Parameters {
  const preset = quick === true ? QUICK : FULL
  return {
    nodes: nodes ?? preset.nodes,
    rounds: rounds ?? preset.rounds,
    kills: kills ?? preset.kills,
    seconds: seconds ?? preset.seconds,
    ratePerSecond: rate ?? preset.ratePerSecond,
  }
}

function begin(
  dir: string,
  { parameters, version, clock }: Pick<Comparison, 'parameters' | 'version'> & Pick<ClientIo, 'clock'>,
): Comparison {
  const begunAt = new Date(clock.nowMs()).toISOString()
  const begun = { format: FORMAT, version, parameters, machine: machineFacts(dir), begunAt, results: [] } as const
  saveComparison(dir, begun)
  return begun
}

function foundText({ parameters, results }: Comparison, out: string): string {
  const [total, left] = [planOf(parameters).length, remaining(parameters, results).length]
  if (left === 0) return `${out} has the results of all ${total} steps: nothing is measured (--fresh does)`
  return `${out} has the results of ${total - left} of ${total} steps: going on (--fresh starts anew)`
}

/** Resolves with all results, or with those there are when the person interrupts; nothing that was started runs then. */
async function run(begun: Comparison, dir: string, io: ClientIo): Promise<Comparison> {
  const { clock } = io
  if (remaining(begun.parameters, begun.results).length === 0) return begun
  const signal = io.interrupted()
  const groups = new ComparedGroups({ dir: join(dir, 'groups'), clock, signal })
  const progress = progressTo(io)
  let kept = begun
  const save = (comparison: Comparison): void => {
    kept = comparison
    saveComparison(dir, comparison)
  }
  const aborted = new Promise<undefined>((done) =>
    signal.addEventListener('abort', () => done(undefined), { once: true }),
  )
  try {
    const running = runComparison(begun, { clock, groups, signal, save, look: progress.look })
    // What it says once it was interrupted is of no interest.
    running.catch(() => undefined)
    await Promise.race([running, aborted])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    progress.end()
    await groups.close()
  }
  return kept
}

function interrupted({ parameters, results }: Comparison, out: string, io: ClientIo): void {
  const done = `${results.length} of ${planOf(parameters).length} steps`
  note(io, `stopped after ${done}, which are kept in ${out}: the same command goes on from there`)
  // Loads that wait for answers of nodes that are gone hold the process.
  process.exit(INTERRUPTED_EXIT_CODE)
}

function report(comparison: Comparison): string {
  const all = summaries(comparison)
  const lines = troubles(all).map((line) => `${line}\n`)
  return [rowsText(speedRows(all, comparison.parameters)), rowsText(lossRows(all)), ...lines].join('\n')
}

const rowsText = ([head, ...rows]: Rows): string => table(head, rows)

interface ProgressLines {
  readonly look: (progress: Progress) => void
  readonly end: () => void
}

/** On a terminal one line that changes; elsewhere a line for each step. */
function progressTo(io: ClientIo): ProgressLines {
  const isTerminal = 'isTTY' in io.notes && io.notes.isTTY === true
  let last = 0
  return {
    look(progress) {
      const { number, total, text, secondsLeft } = progress
      const left = secondsLeft === undefined ? '' : `, about ${durationText(secondsLeft)} left`
      const line = `step ${number} of ${total}${left}: ${text}`
      if (isTerminal) io.notes.write(`\r${line.slice(0, LINE_CHARACTERS).padEnd(LINE_CHARACTERS)}`)
      else if (number !== last) note(io, line.replace(/: [^:]*$/, ''))
      last = number
    },
    end() {
      if (isTerminal) io.notes.write(`\r${' '.repeat(LINE_CHARACTERS)}\r`)
    },
  }
}

const LINE_CHARACTERS = 110

function durationText(seconds: number): string {
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}
