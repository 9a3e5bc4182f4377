/** What stands between a producer and those that are built on it. */
import type { Route } from '../../remoting/route.ts'
import type { ClientCore } from '../core/client-core.ts'
import type { TracedSend } from './traced-send.ts'

/** What a producer of this room adds to a plain one. */
export interface ProducerExtras {
  /** What brokers may ask it besides. */
  readonly routes: readonly Route<unknown>[]
  /** The connections are there, and the trace if there is one; nothing is sent yet. */
  readonly attach: (core: ClientCore, trace: TracedSend | undefined) => void
}
