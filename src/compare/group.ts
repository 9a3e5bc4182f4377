/** A broker group as the comparison needs it; `src/cli/experiments` makes it of processes. */
import type { DeclaredLoss } from './results.ts'
import type { Fault, Setup } from './setups.ts'

export interface Victims {
  /** Resolves when their processes have ended. */
  kill(): Promise<void>
  /** Starts them again. */
  revive(): void
}

export interface Group {
  readonly namesrv: string
  /** Bytes that all its nodes have written since they were started. */
  bytesWritten(): Promise<{ readonly bytes: number; readonly from: 'system' | 'logs' }>
  /** Whom a fault hits: the node that leads, or all. */
  victims(fault: Fault): Promise<Victims>
  /** Resolves when every node is up and one leads. */
  serving(): Promise<void>
  /** What its leader declares of earlier elections. */
  losses(): Promise<readonly DeclaredLoss[]>
  /** Ends its processes and removes its folder. */
  close(): Promise<void>
}

export interface Groups {
  /**
   * Resolves when the group takes traffic. `keepsBack`: on disks that keep back what was not synced, so that whoever is
   * killed loses it as if the power had gone.
   */
  start(setup: Setup, how: { readonly keepsBack: boolean }): Promise<Group>
}
