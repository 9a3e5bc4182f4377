/** One send by hand through the port of one node, whoever leads: what a scenario waits for. */
import type { ClientCore } from '../src/client/core/client-core.ts'
import { systemClock } from '../src/lib/clock.ts'
import { RequestCode, ResponseCode } from '../src/remoting/codes.ts'
import { SendMessageRequestHeader } from '../src/remoting/headers/send.ts'

const ATTEMPT_MS = 1_000

/** Whether it was acknowledged, forwarded or not, within a second. The topic is made if need be. */
export async function sendThrough(core: ClientCore, address: string, topic: string): Promise<boolean> {
  const header = SendMessageRequestHeader.short.encode({
    producerGroup: 'bench',
    topic,
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: 4,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: systemClock.nowMs(),
    flag: 0,
    properties: '',
    reconsumeTimes: 0,
    unitMode: false,
    batch: false,
    brokerName: 'broker-a',
  })
  const request = { code: RequestCode.SEND_MESSAGE_V2, header, body: Buffer.from('through') }
  const answer = await core.invoke(address, request, { timeoutMs: ATTEMPT_MS }).catch(() => undefined)
  return answer?.code === ResponseCode.SUCCESS
}
