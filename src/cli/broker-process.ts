/** The process of one broker node: starts it, tells its supervisor, stops it, and ends with it. */
import { formatAddress } from '../broker/options/options-values.ts'
import type { BrokerConfiguration } from '../broker/options/options.ts'
import { startBroker } from '../broker/main.ts'
import type { BrokerParts, RunningBroker } from '../broker/running-broker.ts'
import { systemClock } from '../lib/clock.ts'
import { errorCode } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { systemRandom } from '../lib/prng.ts'
import { supervisorChannel, type SupervisorChannel } from './child-channel.ts'
import { markTheHeapSeldom } from './garbage-collection.ts'
import { pinoLog } from './pino-log.ts'
import { stopSignal } from './stop-signal.ts'
import { describeError } from './user-errors.ts'

/** How long a supervised node may take for a clean stop. */
const STOP_WITHIN_MS = 15_000

/** A timer of the process may not be longer. */
const HOLD_MS = 2 ** 31 - 1

export interface BrokerProcessOptions {
  readonly verbose: boolean
  /** Stands in for parts of this machine: experiments break its disk, its power and its wall clock on purpose. */
  readonly machine?: Partial<Pick<BrokerParts, 'fileSystem' | 'bootId' | 'clock'>>
}

export async function runBrokerProcess(configuration: BrokerConfiguration, how: BrokerProcessOptions): Promise<void> {
  markTheHeapSeldom(process.execArgv)
  // Timers of the clock hold no process, and a node that waits for its folder's lock has nothing else: it would end unsaid.
  const hold = setInterval(() => {}, HOLD_MS)
  try {
    await run(configuration, how)
  } finally {
    clearInterval(hold)
  }
}

async function run(configuration: BrokerConfiguration, { verbose, machine }: BrokerProcessOptions): Promise<void> {
  const { options, warnings } = configuration
  const log = pinoLog({ verbose, isTerminal: process.stderr.isTTY }).child({
    broker: options.brokerName,
    node: options.nodeId === '' ? `slave ${options.brokerId}` : options.nodeId,
  })
  const signal = stopSignal({ ignoreInterrupt: process.send !== undefined })
  const supervisor = supervisorChannel((reason) => signal.request(reason))
  for (const warning of warnings) log.warn({}, warning)
  let broker: RunningBroker
  try {
    broker = await startBroker(configuration, {
      log,
      clock: systemClock,
      random: systemRandom,
      pid: process.pid,
      ...machine,
      onStatus: (status) => supervisor?.tell({ type: 'status', status }),
    })
  } catch (error) {
    return fail(error, log, supervisor)
  }
  supervisor?.tell({ type: 'status', status: broker.status })
  log.info({ address: formatAddress(options.advertised), dir: options.storePathRootDir }, 'started')
  const end = await Promise.race([signal.asked, broker.ended])
  if (errorCode(end) === 'BROKER_REMOVED') return leave(supervisor)
  if (end instanceof Error) return fail(end, log, supervisor)
  // Nobody would notice a node that hangs in its stop once its supervisor is gone.
  if (supervisor !== undefined) systemClock.after(STOP_WITHIN_MS, () => process.exit(1))
  await broker.close()
  log.info({}, 'stopped')
  supervisor?.close()
  // What still holds the event loop (a client's half-open socket) must not hold the process.
  process.exit(0)
}

/** Its group goes on without it: nothing went wrong, and starting it again would change nothing. */
function leave(supervisor: SupervisorChannel | undefined): never {
  supervisor?.tell({ type: 'removed' })
  supervisor?.close()
  process.exit(0)
}

function fail(error: unknown, log: Log, supervisor: SupervisorChannel | undefined): never {
  const message = describeError(error)
  // On a terminal `main.ts` says it, in a node's log this line does.
  if (supervisor === undefined) throw error
  log.error({}, message)
  supervisor.tell({ type: 'failed', message })
  supervisor.close()
  process.exit(1)
}
