/** How a handler fails that answers later by itself. */
import { errorCode } from '../../lib/errors.ts'
import type { Call } from '../../remoting/route.ts'
import { errorReply } from '../response-codes.ts'

/** True: it took the call over and answers it, as the router's `recover`. */
export type Recover = (error: unknown, call: Call) => boolean

/** Answers `call` for what went wrong, or lets it be done elsewhere. Rethrows broken invariants: those end the node. */
export function fail(recover: Recover, call: Call, error: unknown): void {
  if (errorCode(error) === 'RMQ_ASSERTION') throw error
  if (!recover(error, call)) call.respond(errorReply(error))
}
