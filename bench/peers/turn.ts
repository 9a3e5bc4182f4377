/** One turn of one contender: it is started, takes all its workloads from one load program, and is stopped. */
import { errorMessage } from '../../src/lib/errors.ts'
import { CpuPerMessage, type CpuOfRole } from '../load/cpu-per-message.ts'
import { runLoad } from '../load/load-process.ts'
import type { LoadFigures, Workload } from '../load/workload.ts'
import { memoryOf, type Memory } from '../process-usage.ts'
import type { Contender, Running, Turn } from './contender.ts'

export interface WorkloadResult {
  readonly figures: LoadFigures
  readonly cpu: readonly CpuOfRole[]
}

export interface TurnResult {
  readonly workloads: ReadonlyMap<string, WorkloadResult>
  /** Of each node, after the load. */
  readonly memory: readonly Memory[]
}

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
  const cpu = new CpuPerMessage(await running.nodes())
  const results = new Map<string, WorkloadResult>()
  await runLoad({
    spawn: (command, args, options) => turn.children.start(command, args, options),
    program: await contender.load(),
    address: running.address,
    topic: TOPIC,
    workloads,
    onBegin: () => cpu.begin(),
    onEnd: (name, figures) => results.set(name, { figures, cpu: cpu.end(figures.messages) }),
  })
  return results
}
