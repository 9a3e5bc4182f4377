import type { MessageQueue } from '../core/message-queue.ts'
import type { BackOff, Verdict } from './send-retry.ts'
import type { SendDone, SendRequest } from './send-request.ts'

/** One send under way; for whoever holds it, a handle to give it up. */
export class Send {
  readonly request: SendRequest
  readonly startMs: number
  readonly deadlineMs: number
  readonly order: number
  done: SendDone | undefined
  queue: MessageQueue | undefined = undefined
  address = ''
  attempts = 0
  counted = 0
  sawUndecided = false
  /** Made when a broker was busy. */
  backOff: BackOff | undefined = undefined
  /** What ended the last attempt, for the final error. */
  lastError: Error | undefined = undefined
  lastVerdict: Verdict | undefined = undefined

  constructor(request: SendRequest, at: { startMs: number; deadlineMs: number; order: number }, done: SendDone) {
    this.request = request
    this.startMs = at.startMs
    this.deadlineMs = at.deadlineMs
    this.order = at.order
    this.done = done
  }
}

/** A send under way, seen from outside. */
export type SendHandle = Pick<Send, 'startMs'>
