/** 370: a message that waits for its time is taken back. */
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

/** Errors: `CLIENT_MESSAGE_ILLEGAL` for what is no handle; `CLIENT_REFUSED`. */
export async function recallMessage(core: ClientCore, recall: Recall): Promise<void> {
  const { topic, recallHandle, group, sendTimeoutMs } = recall
  const command = { code: RequestCode.RECALL_MESSAGE, header: { producerGroup: group, topic, recallHandle } }
  await core.callLeader(
    { topic, brokerName: brokerOfHandle(recallHandle) },
    async (address, options) => succeeded(await core.invoke(address, command, options)),
    { timeoutMs: sendTimeoutMs },
  )
}

/** The broker that a handle names: `v1 topic broker time id` in base64 (RocketMQ RecallMessageHandle). */
function brokerOfHandle(recallHandle: string): string {
  const [version, , brokerName] = Buffer.from(recallHandle, 'base64url').toString().split(' ')
  if (version === 'v1' && brokerName !== undefined) return brokerName
  throw clientErrors.create('CLIENT_MESSAGE_ILLEGAL', `no recall handle: ${recallHandle.slice(0, 64)}`)
}
