/** 370: a message that waits for its time is taken back. */
import { errorCode } from '../../lib/errors.ts'
import { knownKeys } from '../../lib/known-keys.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { succeeded } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import { clientErrors } from '../core/errors.ts'
import { checkTopicName } from '../core/names.ts'
import { checkKeys } from '../core/options.ts'

export interface RecallRequest {
  readonly topic: string
  /** Of the send's result. */
  readonly recallHandle: string
}

const keys = knownKeys<RecallRequest>({ topic: true, recallHandle: true })

export interface Recall extends RecallRequest {
  readonly group: string
  readonly sendTimeoutMs: number
}

/** `request`, whoever wrote it. Errors: `CLIENT_OPTION`, `CLIENT_MESSAGE_ILLEGAL`. */
export function checkedRecall(request: RecallRequest): RecallRequest {
  checkKeys(request, 'recall', keys)
  checkTopicName(request.topic)
  if (typeof request.recallHandle === 'string') return request
  throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', `no recall handle: ${String(request.recallHandle)}`)
}

/**
 * Resolves once it is taken back; `answered` hears first what the broker said of it. Errors: `CLIENT_MESSAGE_ILLEGAL` for
 * what is no handle; `CLIENT_REFUSED`.
 */
export async function recallMessage(
  core: ClientCore,
  recall: Recall,
  answered?: (messageId: string, isSuccess: boolean) => void,
): Promise<void> {
  const { topic, recallHandle, group, sendTimeoutMs } = recall
  const command = { code: RequestCode.RECALL_MESSAGE, header: { producerGroup: group, topic, recallHandle } }
  const { brokerName, messageId } = placeOfHandle(recallHandle)
  try {
    await core.callLeader(
      { topic, brokerName },
      async (address, options) => succeeded(await core.invoke(address, command, options)),
      { timeoutMs: sendTimeoutMs },
    )
  } catch (error) {
    if (errorCode(error) === 'CLIENT_REFUSED') answered?.(messageId, false)
    throw error
  }
  answered?.(messageId, true)
}

/** What a handle names: `v1 topic broker time id` in base64 (RocketMQ RecallMessageHandle). */
function placeOfHandle(recallHandle: string): { readonly brokerName: string; readonly messageId: string } {
  const [version, , brokerName, , messageId = ''] = Buffer.from(recallHandle, 'base64url').toString().split(' ')
  if (version === 'v1' && brokerName !== undefined) return { brokerName, messageId }
  throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', `no recall handle: ${recallHandle.slice(0, 64)}`)
}
