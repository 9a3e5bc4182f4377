/** Ctrl-C and SIGTERM: the first asks for a clean stop, a second Ctrl-C forces it. */
import { deferred } from '../lib/deferred.ts'

export interface StopSignal {
  /** Resolves at the first signal or at `request`. */
  readonly asked: Promise<string>
  request(reason: string): void
}

export interface StopSignalOptions {
  /** Called at the second signal; the process ends right after it. */
  readonly onForce?: () => void
  /** A node under a supervisor leaves Ctrl-C, which a terminal sends to both, to its supervisor. */
  readonly ignoreInterrupt?: boolean
}

const FORCED_EXIT_CODE = 130

export function stopSignal({ onForce, ignoreInterrupt = false }: StopSignalOptions = {}): StopSignal {
  const asked = deferred<string>()
  let signals = 0
  const onSignal = (signal: string): void => {
    signals += 1
    if (signals === 1) {
      asked.resolve(signal)
      return
    }
    onForce?.()
    process.exit(FORCED_EXIT_CODE)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', ignoreInterrupt ? () => {} : onSignal)
  return { asked: asked.promise, request: (reason) => asked.resolve(reason) }
}
