/** 370: a message that waits for its time is taken back. */
import { errorCode } from '../../lib/errors.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { succeeded } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import { clientErrors } from '../core/errors.ts'

export interface Recall {
  readonly topic: string
  readonly recallHandle: string
  readonly group: string
  readonly sendTimeoutMs: number
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
