/**
 * Stores sends that may be stored, several as one: admitted, proposed, counted, and confirmed by slaves where a master
 * waits for them.
 */
import { ResponseCode } from '../../remoting/codes.ts'
import type { Admission } from '../log/admission.ts'
import type { SlaveAcks, SlaveAnswer } from '../log/slave-acks.ts'
import type { Proposals, Stored } from '../needs.ts'
import { putOf } from '../put.ts'
import type { BrokerStats } from '../stats/broker-stats.ts'
import type { ReadySend } from './send-drafts.ts'

export interface SendStoreNeeds {
  readonly proposals: Pick<Proposals, 'records' | 'checkRoom'>
  readonly admission: Admission
  /** Of a SYNC_MASTER. */
  readonly slaveAcks: Pick<SlaveAcks, 'confirm'> | undefined
  readonly stats: Pick<BrokerStats, 'put' | 'putFailed'>
}

/** With `stored`, of all messages in their order: `code` is what their producers are answered. */
export type OnStored = (error: Error | undefined, stored: readonly Stored[] | undefined, code: number) => void

export interface SendStore {
  /** Throws what sends with so many bytes of bodies would be refused with now, before they are taken apart. */
  checkRoom(bodyBytes: number): void
  /** Of one send or more. Throws BROKER_BUSY when too many wait; whatever comes later goes to `done`. */
  put(sends: readonly ReadySend[], done: OnStored): void
}

/** RocketMQ SendMessageProcessor.handlePutMessageResult: stored in any case. */
const statuses: Readonly<Record<SlaveAnswer, number>> = {
  held: ResponseCode.SUCCESS,
  unavailable: ResponseCode.SLAVE_NOT_AVAILABLE,
  late: ResponseCode.FLUSH_SLAVE_TIMEOUT,
}

export function sendStore(need: SendStoreNeeds): SendStore {
  return { checkRoom, put }

  function checkRoom(bodyBytes: number): void {
    try {
      need.proposals.checkRoom(bodyBytes)
    } catch (error) {
      need.stats.putFailed()
      throw error
    }
  }

  function put(sends: readonly ReadySend[], done: OnStored): void {
    need.admission.enter()
    const drafts = sends.length === 1 ? (sends[0]?.drafts ?? []) : sends.flatMap((send) => send.drafts)
    const isEarly = sends.every((send) => send.isEarly)
    const puts = sends.map((send) => putOf(send.drafts))
    const decided = (error: Error | undefined, stored: readonly Stored[] | undefined): void => {
      const first = stored?.[0]
      if (stored === undefined || first === undefined) {
        need.admission.leave()
        need.stats.putFailed()
        return done(error, undefined, ResponseCode.SYSTEM_ERROR)
      }
      const answer = (code: number): void => {
        need.admission.leave()
        for (const put of puts) need.stats.put(put)
        done(undefined, stored, code)
      }
      if (isEarly || need.slaveAcks === undefined) return answer(ResponseCode.SUCCESS)
      need.slaveAcks.confirm(first.index, (held) => answer(statuses[held]))
    }
    need.proposals.records(drafts, decided, isEarly)
  }
}
