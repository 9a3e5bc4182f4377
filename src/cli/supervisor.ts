/** Keeps the nodes of a local cluster running, each in a process of its own. */
import { fork, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrokerStatus } from '../broker/running-broker.ts'
import type { Clock } from '../lib/clock.ts'
import { deferred } from '../lib/deferred.ts'
import { defineErrors } from '../lib/errors.ts'
import { readFromChild, type ToChild } from './child-channel.ts'
import type { NodePlan } from './cluster-plan.ts'
import { nodeEnvironment } from './node-environment.ts'
import { isServing } from './readiness.ts'
import { nextDelayMs } from './restart-delay.ts'
import { describeError } from './user-errors.ts'

export const supervisorErrors = defineErrors({
  CLUSTER_NODE_FAILED: {
    doc: 'A node of a local cluster did not start; the message says which and why.',
    retriable: false,
  },
})

export interface SupervisedNode {
  readonly plan: NodePlan
  readonly pid: number | undefined
  /** Undefined while it is not running or has not said anything yet. */
  readonly status: BrokerStatus | undefined
}

export interface SupervisorNeeds {
  readonly nodes: readonly NodePlan[]
  /** Makes the node's folder and its `.properties` file where they are gone, and gives the file's path. May throw. */
  readonly configOf: (node: NodePlan) => string
  readonly restart: boolean
  readonly verbose: boolean
  readonly clock: Clock
  /** A node was removed from its group: it has ended and is not started again. */
  readonly removed: (node: NodePlan) => void
  /** One line for the person. */
  readonly say: (line: string) => void
}

export interface Supervisor {
  readonly nodes: readonly SupervisedNode[]
  /** Resolves when every group has a leader that takes traffic and every node is up. Rejects when a node cannot start. */
  readonly ready: Promise<void>
  /** Asks all nodes to stop cleanly and waits for them; one that does not within `STOP_WITHIN_MS` is killed. */
  stop(): Promise<void>
  /** Kills all nodes at once. */
  kill(): void
}

/** How long a clean stop of a node may take. */
const STOP_WITHIN_MS = 15_000

interface Child {
  readonly plan: NodePlan
  process: ChildProcess | undefined
  status: BrokerStatus | undefined
  startedMs: number
  /** Deaths in a row soon after the start. */
  quickDeaths: number
  failure: string | undefined
  isRemoved: boolean
}

export function supervise(need: SupervisorNeeds): Supervisor {
  const { clock, say } = need
  const ready = deferred<void>()
  // Whoever waits for it hears of a rejection; nobody has to be waiting already.
  ready.promise.catch(() => undefined)
  let isReady = false
  let isStopping = false
  const children: readonly Child[] = need.nodes.map((plan) => ({
    plan,
    process: undefined,
    status: undefined,
    startedMs: 0,
    quickDeaths: 0,
    failure: undefined,
    isRemoved: false,
  }))
  for (const child of children) start(child)

  /** What fails here is this node's alone: it counts as a death of it, and the others go on. */
  function start(child: Child): void {
    child.startedMs = clock.monotonicMs()
    child.failure = undefined
    let forked: ChildProcess
    try {
      forked = forkNode(need, child.plan)
    } catch (error) {
      child.failure = describeError(error)
      return ended(child, 'it could not be started')
    }
    child.process = forked
    forked.on('message', (message) => {
      if (child.process === forked) hear(child, message)
    })
    forked.on('error', (error) => {
      child.failure = error.message
      // A process that was never there has no exit.
      if (forked.pid === undefined && child.process === forked) ended(child, 'it could not be started')
    })
    forked.on('exit', (code, signal) => {
      if (child.process === forked) ended(child, signal === null ? `exit code ${code}` : signal)
    })
  }

  function hear(child: Child, raw: unknown): void {
    const message = readFromChild(raw)
    if (message === undefined) return
    if (message.type === 'failed') {
      child.failure = message.message
      return
    }
    if (message.type === 'removed') {
      child.isRemoved = true
      need.removed(child.plan)
      return
    }
    const before = child.status
    child.status = message.status
    if (
      isReady &&
      message.status.role === 'leader' &&
      message.status.isReady &&
      !(before?.role === 'leader' && before.isReady)
    ) {
      say(`${nameOf(child.plan)} leads (term ${message.status.term})`)
    }
    look()
  }

  function look(): void {
    if (isReady || !isServing(children.filter(({ isRemoved }) => !isRemoved))) return
    isReady = true
    ready.resolve()
  }

  function ended(child: Child, how: string): void {
    child.process = undefined
    child.status = undefined
    if (isStopping) return
    if (child.isRemoved) {
      say(`${nameOf(child.plan)} is out of its group for good; it is not started again`)
      return look()
    }
    const why = child.failure === undefined ? how : `${how}: ${child.failure}`
    if (!isReady && child.failure !== undefined) {
      const message = `${nameOf(child.plan)} did not start: ${child.failure}`
      return ready.reject(supervisorErrors.create('CLUSTER_NODE_FAILED', message))
    }
    if (!need.restart) return say(`${nameOf(child.plan)} died (${why}); it stays dead (--no-restart)`)
    child.quickDeaths = clock.monotonicMs() - child.startedMs < QUICK_DEATH_MS ? child.quickDeaths + 1 : 0
    const delayMs = nextDelayMs(child.quickDeaths)
    say(`${nameOf(child.plan)} died (${why}); restarting ${delayMs === 0 ? 'now' : `in ${delayMs} ms`}`)
    if (delayMs === 0) return start(child)
    clock.after(delayMs, () => {
      if (!isStopping) start(child)
    })
  }

  function signalAll(signal: NodeJS.Signals): void {
    for (const { process: running } of children) running?.kill(signal)
  }

  return {
    get nodes() {
      return children.map(({ plan, process: running, status }) => ({ plan, pid: running?.pid, status }))
    },
    ready: ready.promise,
    async stop() {
      isStopping = true
      const exits = children.flatMap(({ process: running }) => (running === undefined ? [] : [exitOf(running)]))
      const stop: ToChild = { type: 'stop' }
      for (const { process: running } of children) {
        if (running?.connected === true) running.send(stop, () => {})
      }
      const overdue = clock.after(STOP_WITHIN_MS, () => {
        say(`a node did not stop within ${STOP_WITHIN_MS / 1000} s and is killed`)
        signalAll('SIGKILL')
      })
      await Promise.all(exits)
      overdue.cancel()
    },
    kill() {
      isStopping = true
      signalAll('SIGKILL')
    },
  }
}

function forkNode(need: SupervisorNeeds, plan: NodePlan): ChildProcess {
  const config = need.configOf(plan)
  const log = openSync(join(plan.dir, 'node.log'), 'a')
  try {
    const flags = need.verbose ? ['--verbose'] : []
    const main = fileURLToPath(new URL('./main.js', import.meta.url))
    const env = nodeEnvironment(process.env)
    return fork(main, [...flags, 'broker', '-c', config], { stdio: ['ignore', log, log, 'ipc'], env })
  } finally {
    closeSync(log)
  }
}

/** A node that lived longer than this died of something new, and is restarted at once. */
const QUICK_DEATH_MS = 10_000

function exitOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve())
  })
}

export const nameOf = ({ broker, id }: Pick<NodePlan, 'broker' | 'id'>): string => `${broker} ${id}`
