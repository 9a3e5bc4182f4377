/** Sends: 10, 310 and 320. What needs a topic or a group to be made first waits for it and goes on the same way. */
import { offsetMessageIds } from '../../message/offset-message-ids.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { SendMessageRequestHeader } from '../../remoting/headers/send.ts'
import { type Call, type Route, route } from '../../remoting/route.ts'
import type { Stored } from '../needs.ts'
import type { TopicConfig } from '../tables/topics.ts'
import { fail, type Recover } from './failure.ts'
import { sendDrafts, type SendDraftsNeeds } from './send-drafts.ts'
import { sendStore, type SendStoreNeeds } from './send-store.ts'

type Header = SendMessageRequestHeader

export type SendMessageNeeds = SendDraftsNeeds & SendStoreNeeds & { readonly recover: Recover }

export function sendMessage(need: SendMessageNeeds): Route<unknown>[] {
  const { identity } = need
  const drafts = sendDrafts(need)
  const store = sendStore(need)
  const messageId = offsetMessageIds(identity.storeHost)
  const MSG_REGION = identity.regionId
  const TRACE_ON = String(identity.traceOn)

  return [
    route({ code: RequestCode.SEND_MESSAGE, request: SendMessageRequestHeader, handle }),
    route({ code: RequestCode.SEND_MESSAGE_V2, request: SendMessageRequestHeader.short, handle }),
    route({ code: RequestCode.SEND_BATCH_MESSAGE, request: SendMessageRequestHeader.short, handle }),
  ]

  function handle(header: Header, call: Call): undefined {
    const topic = drafts.ready(header)
    if (topic === undefined) prepareAndSend(header, call)
    else send(header, call, topic)
    return undefined
  }

  /** A send that needs something made first; errors after a wait have no router above them. */
  function prepareAndSend(header: Header, call: Call): void {
    drafts.prepare(header).then(
      (topic) => {
        try {
          send(header, call, topic)
        } catch (error) {
          fail(need.recover, call, error)
        }
      },
      (error: unknown) => fail(need.recover, call, error),
    )
  }

  function send(header: Header, call: Call, topic: TopicConfig): void {
    store.checkRoom(call.body.length)
    const ready = drafts.of(header, call, topic)
    const { queueId, uniqueKey, recallHandle } = ready
    call.hold()
    store.put([ready], (error, stored, code) => {
      const first = stored?.[0]
      if (stored === undefined || first === undefined) return fail(need.recover, call, error)
      call.respond({
        code,
        header: {
          msgId: stored.length === 1 ? messageId(first.offset) : idsOf(stored),
          queueId,
          queueOffset: first.queueOffset,
          transactionId: uniqueKey,
          ...(recallHandle === undefined ? undefined : { recallHandle }),
          MSG_REGION,
          TRACE_ON,
        },
      })
    })
  }

  function idsOf(stored: readonly Stored[]): string {
    return stored.map(({ offset }) => messageId(offset)).join(',')
  }
}
