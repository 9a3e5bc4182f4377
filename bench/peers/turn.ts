/** One turn of one contender: it is started, takes all its workloads from one load program, and is stopped. */
import { createInterface } from 'node:readline'
import { errorMessage } from '../../src/lib/errors.ts'
import { cpuMicrosOf, memoryOf, type Memory } from '../process-usage.ts'
import type { Contender, NodeProcess, Running, Turn } from './contender.ts'
import { type LoadFigures, readLoadLine, type Workload, workloadArgument } from './workloads.ts'

export interface WorkloadResult {
  readonly figures: LoadFigures
  /** Processor time of each node for a message, in microseconds; empty where the system does not say. */
  readonly cpu: readonly { readonly role: string; readonly micros: number }[]
}

export interface TurnResult {
  readonly workloads: ReadonlyMap<string, WorkloadResult>
  /** Of each node, after the load. */
  readonly memory: readonly Memory[]
}

/** A load program that says nothing for so long hangs: no workload takes so long by itself. */
const SILENT_MS = 300_000
const LAST_WORDS = 4_096
const TOPIC = 'PeersBench'

export async function takeTurn(contender: Contender, workloads: readonly Workload[], turn: Turn): Promise<TurnResult> {
  const running = await contender.start(turn)
  try {
    const measured = await load(contender, { workloads, turn, running })
    const nodes = await running.nodes()
    return { workloads: measured, memory: nodes.flatMap(({ pid }) => memoryOf(pid) ?? []) }
  } catch (error) {
    throw new Error(`${contender.title}: ${errorMessage(error)}\n${running.said()}`.trim(), { cause: error })
  } finally {
    await running.close()
  }
}

async function load(
  contender: Contender,
  { workloads, turn, running }: { workloads: readonly Workload[]; turn: Turn; running: Running },
): Promise<ReadonlyMap<string, WorkloadResult>> {
  const { command, args } = await contender.load()
  const all = [...args, running.address, TOPIC, ...workloads.map(workloadArgument)]
  const nodes = await running.nodes()
  const child = turn.children.start(command, all, { stdio: ['ignore', 'pipe', 'pipe'] })
  const results = new Map<string, WorkloadResult>()
  let said = ''
  let before: readonly (number | undefined)[] = []
  const stop = (): void => void turn.children.stop(child)
  let timer = setTimeout(stop, SILENT_MS)
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-LAST_WORDS)))
  if (child.stdout === null) throw new Error('the load program has no output')
  createInterface({ input: child.stdout }).on('line', (text) => {
    clearTimeout(timer)
    timer = setTimeout(stop, SILENT_MS)
    const line = readLoadLine(text)
    if (line?.event === 'begin') before = nodes.map(({ pid }) => cpuMicrosOf(pid))
    if (line?.event === 'end') {
      results.set(line.name, { figures: line.figures, cpu: cpuPerMessage(nodes, before, line.figures) })
    }
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearTimeout(timer)
  if (code !== 0 || results.size < workloads.length) throw new Error(`the load program ended with ${code}: ${said}`)
  return results
}

/** Read when the end of a workload is told: the processes are still at work for it, and what is left is small. */
function cpuPerMessage(
  nodes: readonly NodeProcess[],
  before: readonly (number | undefined)[],
  { messages }: LoadFigures,
): WorkloadResult['cpu'] {
  return nodes.flatMap(({ role, pid }, at) => {
    const [begun, now] = [before[at], cpuMicrosOf(pid)]
    return begun === undefined || now === undefined || messages === 0
      ? []
      : [{ role, micros: (now - begun) / messages }]
  })
}
