/** One node of a `FaultyCluster`, as a process: started, killed and broken by hand. It stays down until it is started again. */
import { fork, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrokerStatus } from '../../broker/running-broker.ts'
import { type DiskFault, type DiskMessage, isDiskMessage } from '../../faults/faulty-disk.ts'
import { type ClockMessage, isClockMessage } from '../../faults/skewed-clock.ts'
import { assert, present } from '../../lib/assert.ts'
import { readFromChild, type ToChild } from '../child-channel.ts'
import { writeNodeProperties } from '../cluster-folder.ts'
import type { NodePlan } from '../cluster-plan.ts'
import { nodeEnvironment } from '../node-environment.ts'

/**
 * What a node writes to: the machine's disk as `raftmq broker` has it; one that can be broken while the node runs; one
 * that also keeps back what was not synced, so that a kill is a power cut.
 */
export type NodeDisk = 'plain' | 'breakable' | 'kept-back'

export interface HowToRun {
  readonly namesrv: string
  readonly disk: NodeDisk
}

const broker = fileURLToPath(new URL('../main.js', import.meta.url))
const faultyBroker = fileURLToPath(new URL('./faulty-broker.js', import.meta.url))

export class FaultyNode {
  readonly plan: NodePlan
  /** It left its group, or does not belong to it yet: nobody waits for it. */
  isGone = false
  readonly #how: HowToRun
  #child: ChildProcess | undefined
  #exit: Promise<void> = Promise.resolve()
  #status: BrokerStatus | undefined

  constructor(plan: NodePlan, how: HowToRun) {
    this.plan = plan
    this.#how = how
  }

  get id(): string {
    return this.plan.id
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** What it said last; undefined while it does not run. */
  get status(): BrokerStatus | undefined {
    return this.#status
  }

  /** Starts the process; `faults` hold from its first access to the disk. */
  start(faults: readonly DiskFault[] = []): void {
    const config = writeNodeProperties(this.plan, this.#how.namesrv)
    const log = openSync(join(this.plan.dir, 'node.log'), 'a')
    const { program, args } = commandOf(this.#how.disk, config, faults)
    const child = fork(program, args, {
      stdio: ['ignore', log, log, 'ipc'],
      execArgv: [],
      env: nodeEnvironment(process.env),
    })
    closeSync(log)
    this.#child = child
    child.on('message', (raw) => {
      const message = readFromChild(raw)
      if (message?.type === 'status') this.#status = message.status
    })
    this.#exit = new Promise((resolve) => {
      child.once('exit', () => {
        this.#child = undefined
        this.#status = undefined
        resolve()
      })
    })
  }

  /** Replaces the faults of its disk, which is not a plain one; resolves when they hold. */
  setFaults(faults: readonly DiskFault[]): Promise<void> {
    return this.#tell({ type: 'disk', faults }, isDiskMessage)
  }

  /** Sets the wall clock of a node whose disk is not a plain one wrong by so much; resolves when it is. */
  setClock(wrongByMs: number): Promise<void> {
    return this.#tell({ type: 'clock', wrongByMs }, isClockMessage)
  }

  /** Resolves when the process has ended, however that comes. */
  get ended(): Promise<void> {
    return this.#exit
  }

  async stop(): Promise<void> {
    const stop: ToChild = { type: 'stop' }
    this.#child?.send(stop, () => {})
    await this.#exit
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#exit
  }

  /** Resolves when the process says that it did so, or has ended. */
  async #tell(message: DiskMessage | ClockMessage, isAnswer: (raw: unknown) => boolean): Promise<void> {
    assert(this.#how.disk !== 'plain', 'a node on a plain disk is as `raftmq broker` starts it')
    const child = present(this.#child, 'only a running node is broken')
    const taken = new Promise<void>((resolve) => {
      const hear = (raw: unknown): void => {
        if (!isAnswer(raw)) return
        child.off('message', hear)
        resolve()
      }
      child.on('message', hear)
    })
    child.send(message)
    await Promise.race([taken, this.#exit])
  }
}

function commandOf(
  disk: NodeDisk,
  config: string,
  faults: readonly DiskFault[],
): { readonly program: string; readonly args: readonly string[] } {
  if (disk === 'plain') return { program: broker, args: ['broker', '-c', config] }
  const keepBack = disk === 'kept-back' ? ['--keep-back'] : []
  return { program: faultyBroker, args: ['-c', config, '--faults', JSON.stringify(faults), ...keepBack] }
}
