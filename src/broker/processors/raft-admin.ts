/** What RocketMQ has no code for: handing leadership over, and the state of the tables for comparing replicas. */
import { errorMessage } from '../../lib/errors.ts'
import { RaftmqCode, ResponseCode } from '../../remoting/codes.ts'
import { defineHeader, EmptyHeader, string } from '../../remoting/header.ts'
import { type Route, route } from '../../remoting/route.ts'
import { refusal } from '../errors.ts'

const TransferLeadershipRequestHeader = defineHeader({ to: string.required() })

export interface RaftAdminNeeds {
  /** Votes of nodes in doubt are enough, until somebody leads. */
  readonly acceptDoubt: () => void
  readonly transferLeadership: (to: string) => Promise<void>
  /** Equal digests at one index: equal tables. */
  readonly tablesState: () => { readonly appliedIndex: number; readonly digest: string }
}

export function raftAdmin(need: RaftAdminNeeds): Route<unknown>[] {
  return [
    route({
      code: RaftmqCode.TRANSFER_LEADERSHIP,
      request: TransferLeadershipRequestHeader,
      async handle({ to }) {
        try {
          await need.transferLeadership(to)
        } catch (error) {
          throw refusal('BROKER_REFUSED', errorMessage(error))
        }
        return { code: ResponseCode.SUCCESS }
      },
    }),
    route({
      code: RaftmqCode.ACCEPT_DOUBT,
      request: EmptyHeader,
      handle() {
        need.acceptDoubt()
        return { code: ResponseCode.SUCCESS }
      },
    }),
    route({
      code: RaftmqCode.GET_TABLES_STATE,
      request: EmptyHeader,
      handle: () => ({ code: ResponseCode.SUCCESS, header: { ...need.tablesState() } }),
    }),
  ]
}
