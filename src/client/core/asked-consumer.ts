/**
 * What brokers ask of every consumer, however it gets its messages (RocketMQ ClientRemotingProcessor): how are you (307),
 * handle this message now (309).
 */
import type { Clock } from '../../lib/clock.ts'
import { errorMessage } from '../../lib/errors.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import { boolean, defineHeader, string } from '../../remoting/header.ts'
import { toJson } from '../../remoting/json-dialect.ts'
import { route } from '../../remoting/route.ts'
import type { Reply, Route } from '../../remoting/route.ts'
import { receivedMessages } from './received-message.ts'
import type { ReceivedMessage } from './received-message.ts'
import type { SubscriptionData } from './subscription.ts'

export interface AskedConsumer {
  readonly member: {
    readonly group: string
    readonly namesrv: readonly string[]
    readonly clock: Clock
    readonly ordered: boolean
    readonly consumeType: string
  }
  readonly startMs: number
  /** ProcessQueueInfo of each queue that it holds, by MessageQueue. */
  queues(): readonly (readonly [queue: object, info: object])[]
  subscriptions(): readonly SubscriptionData[]
  handleDirectly(message: ReceivedMessage): Promise<void>
}

const runningHeader = defineHeader({
  consumerGroup: string.required(),
  clientId: string.optional(),
  jstackEnable: boolean.optional(),
})
const directHeader = defineHeader({
  consumerGroup: string.required(),
  clientId: string.optional(),
  brokerName: string.optional(),
})

export function askedConsumer(asked: AskedConsumer): Route<unknown>[] {
  const own = asked.member.group
  return [
    route({
      code: RequestCode.GET_CONSUMER_RUNNING_INFO,
      request: runningHeader,
      handle({ consumerGroup }) {
        if (consumerGroup !== own) return noSuchGroup(consumerGroup)
        return { code: ResponseCode.SUCCESS, body: Buffer.from(runningInfo(asked)) }
      },
    }),
    route({
      code: RequestCode.CONSUME_MESSAGE_DIRECTLY,
      request: directHeader,
      async handle({ consumerGroup, brokerName }, call) {
        if (consumerGroup !== own) return noSuchGroup(consumerGroup)
        return consumeDirectly(asked, call.body, brokerName ?? '')
      },
    }),
  ]
}

/** Of a group that is not this consumer's. */
export function noSuchGroup(group: string): Reply {
  return { code: ResponseCode.SYSTEM_ERROR, remark: `The Consumer Group <${group}> not exist in this consumer` }
}

/** ConsumeMessageDirectlyResult. */
async function consumeDirectly(asked: AskedConsumer, body: Buffer, brokerName: string): Promise<Reply> {
  const { clock, ordered } = asked.member
  const startMs = clock.nowMs()
  let consumeResult = 'CR_SUCCESS'
  let remark: string | null = null
  try {
    const [message] = receivedMessages(body, brokerName, true)
    if (message === undefined) return { code: ResponseCode.SYSTEM_ERROR, remark: 'the request has no message' }
    await asked.handleDirectly(message)
  } catch (error) {
    consumeResult = 'CR_THROW_EXCEPTION'
    remark = errorMessage(error)
  }
  const spentTimeMills = Math.round(clock.nowMs() - startMs)
  const result = { order: ordered, autoCommit: true, consumeResult, remark, spentTimeMills }
  return { code: ResponseCode.SUCCESS, body: Buffer.from(JSON.stringify(result)) }
}

/** ConsumerRunningInfo, whose mqTable has objects for keys. */
function runningInfo(asked: AskedConsumer): string {
  const { namesrv, ordered, consumeType } = asked.member
  const properties = {
    PROP_NAMESERVER_ADDR: `${namesrv.join(';')};`,
    PROP_CONSUME_TYPE: consumeType,
    PROP_CONSUME_ORDERLY: String(ordered),
    PROP_CLIENT_VERSION: 'V5_3_3',
    PROP_CONSUMER_START_TIMESTAMP: String(Math.round(asked.startMs)),
  }
  return toJson({
    jstack: null,
    mqPopTable: {},
    mqTable: new Map(asked.queues()),
    properties,
    statusTable: {},
    subscriptionSet: asked.subscriptions(),
    userConsumerInfo: {},
  })
}
