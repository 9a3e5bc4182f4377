/** On what a figure was measured: none is given without it. Pure. */

export interface MachineFacts {
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGiB: number
    readonly system: string
  }
  readonly node: string
  /** 4 KiB written and fdatasync, the median of 200. */
  readonly fsyncMs: number
  /** Load average of the last minute before the measurement began: what else the machine was doing. */
  readonly loadBefore: number
}

export function machineText({ machine, node }: Pick<MachineFacts, 'machine' | 'node'>): string {
  const { cpu, cores, memoryGiB, system } = machine
  return `${cores} × ${cpu}, ${memoryGiB} GiB, ${system}, Node.js ${node}`
}
