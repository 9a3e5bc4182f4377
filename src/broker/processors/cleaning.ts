/** What administrators ask to be cleaned: 306, 316, 329 (RocketMQ AdminBrokerProcessor). */
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { EmptyHeader } from '../../remoting/header.ts'
import { type Reply, type Route, route } from '../../remoting/route.ts'

export interface CleaningNeeds {
  /** Decides at once what has expired, whatever the hour. */
  readonly dropExpired: () => Promise<void>
}

const done: Reply = { code: ResponseCode.SUCCESS }

export function cleaning(need: CleaningNeeds): Route<unknown>[] {
  return [
    // Queues move with the log's start, and end with their topic: nothing is ever left over.
    route({ code: RequestCode.CLEAN_EXPIRED_CONSUMEQUEUE, request: EmptyHeader, handle: () => done }),
    route({ code: RequestCode.CLEAN_UNUSED_TOPIC, request: EmptyHeader, handle: () => done }),
    route({
      code: RequestCode.DELETE_EXPIRED_COMMITLOG,
      request: EmptyHeader,
      async handle() {
        await need.dropExpired()
        return done
      },
    }),
  ]
}
