/** Carries a reply to the broker that stored the request (RocketMQ SEND_REPLY_MESSAGE_V2). */
import { RequestCode } from '../../remoting/codes.ts'
import { succeeded } from '../core/broker-api.ts'
import type { ClientCore } from '../core/client-core.ts'
import type { ReceivedMessage } from '../core/received-message.ts'
import { sendCommand } from './send-request.ts'
import type { SendRequest } from './send-request.ts'

export interface ReplyOptions {
  readonly group: string
  readonly autoCreateQueues: number
  readonly sendTimeoutMs: number
}

/** Resolves when the one that asked has it. Errors: `CLIENT_REFUSED` when nobody waits for it any more. */
export async function sendReply(
  core: ClientCore,
  request: ReceivedMessage,
  reply: SendRequest,
  options: ReplyOptions,
): Promise<void> {
  // The broker that stored the request is one that its sender is connected to.
  const queue = { topic: request.topic, brokerName: request.brokerName, queueId: 0 }
  const command = {
    ...sendCommand(reply, { ...queue, topic: reply.topic }, options),
    code: RequestCode.SEND_REPLY_MESSAGE_V2,
  }
  await core.callLeader(queue, async (address, limits) => succeeded(await core.invoke(address, command, limits)), {
    timeoutMs: options.sendTimeoutMs,
  })
}
