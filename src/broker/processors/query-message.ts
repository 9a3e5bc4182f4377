/** Finding messages: 12 by key, 33 by place (RocketMQ QueryMessageProcessor). */
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { QueryMessageRequestHeader, ViewMessageRequestHeader } from '../../remoting/headers/query.ts'
import { type Call, type Reply, type Route, route } from '../../remoting/route.ts'
import type { KeyQuery, KeyResult } from '../../store/key-query.ts'
import { refusal } from '../errors.ts'

export interface QueryMessageNeeds {
  readonly options: { readonly defaultQueryMaxNum: number }
  readonly store: {
    byKey(query: KeyQuery): Promise<KeyResult>
    recordAt(offset: number): Promise<Buffer | undefined>
  }
}

export function queryMessage({ store, options }: QueryMessageNeeds): Route<unknown>[] {
  return [
    route({ code: RequestCode.QUERY_MESSAGE, request: QueryMessageRequestHeader, handle: byKey }),
    route({ code: RequestCode.VIEW_MESSAGE_BY_ID, request: ViewMessageRequestHeader, handle: byOffset }),
  ]

  async function byKey(header: QueryMessageRequestHeader, call: Call): Promise<Reply> {
    const isUniqueKey = call.fields.get('_UNIQUE_KEY_QUERY') === 'true'
    const found = await store.byKey({
      topic: header.topic,
      key: header.key,
      maxCount: isUniqueKey ? options.defaultQueryMaxNum : header.maxNum,
      beginMs: header.beginTimestamp,
      endMs: header.endTimestamp,
    })
    if (found.records.length === 0) {
      throw refusal('BROKER_NOT_FOUND', 'can not find message, maybe time range not correct')
    }
    return {
      code: ResponseCode.SUCCESS,
      header: {
        indexLastUpdateTimestamp: found.lastUpdateTimestampMs,
        indexLastUpdatePhyoffset: found.lastUpdateOffset,
      },
      body: found.records,
    }
  }

  async function byOffset({ offset }: ViewMessageRequestHeader): Promise<Reply> {
    const record = await store.recordAt(offset)
    if (record === undefined) throw refusal('BROKER_REFUSED', `can not find message by the offset, ${offset}`)
    return { code: ResponseCode.SUCCESS, body: record }
  }
}
