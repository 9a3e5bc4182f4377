/** Processor time of processes over a workload, for each of its messages. */
import { cpuMicrosOf } from '../process-usage.ts'

export interface NamedProcess {
  /** `leader` and `follower` where it is known who leads; else what it is. */
  readonly role: string
  readonly pid: number
}

export interface CpuOfRole {
  readonly role: string
  readonly micros: number
}

export class CpuPerMessage {
  readonly #processes: readonly NamedProcess[]
  #before: readonly (number | undefined)[] = []

  constructor(processes: readonly NamedProcess[]) {
    this.#processes = processes
  }

  begin(): void {
    this.#before = this.#processes.map(({ pid }) => cpuMicrosOf(pid))
  }

  /** Of each process since `begin`, in microseconds; empty where the system does not say or there were no messages. */
  end(messages: number): readonly CpuOfRole[] {
    return this.#processes.flatMap(({ role, pid }, at) => {
      const [begun, now] = [this.#before[at], cpuMicrosOf(pid)]
      return begun === undefined || now === undefined || messages === 0
        ? []
        : [{ role, micros: (now - begun) / messages }]
    })
  }
}

/** The mean of those in a role; nothing where there is none. */
export function meanOfRole(cpu: readonly CpuOfRole[], role: RegExp): readonly number[] {
  const micros = cpu.filter((one) => role.test(one.role)).map((one) => one.micros)
  return micros.length === 0 ? [] : [micros.reduce((sum, value) => sum + value, 0) / micros.length]
}
