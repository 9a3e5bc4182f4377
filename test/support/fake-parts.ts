/** Sends to many queues (700_021) at a fake broker: stock ones do not know them, so tests hand this in as a `fault`. */
import { decodeBatch } from '../../src/message/batch.ts'
import { encodeOffsetMessageId } from '../../src/message/message-id.ts'
import { decodeSendParts, encodePartAnswers, type PartAnswer, type SendPart } from '../../src/message/send-parts.ts'
import { RaftmqCode } from '../../src/remoting/codes.ts'
import type { Call, Reply } from '../../src/remoting/route.ts'
import type { FakeCluster } from './fake-broker.ts'

const host = { ip: Uint8Array.of(127, 0, 0, 1), port: 10911 }

/** Stores the parts, but those for which `refuse` has an answer. */
export function storeParts(
  fake: FakeCluster,
  call: Call,
  refuse: (part: SendPart) => PartAnswer | undefined = () => undefined,
): Reply {
  const answers = decodeSendParts(call.body).map((part): PartAnswer => refuse(part) ?? storePart(fake, call.body, part))
  return {
    code: 0,
    header: { storeHost: encodeOffsetMessageId(host, 0).slice(0, -16) },
    body: encodePartAnswers(answers),
  }
}

/** Has the broker take sends to many queues; tells whether one came. */
export function takeParts(fake: FakeCluster): () => boolean {
  fake.fault = (call) => (call.code === RaftmqCode.SEND_TO_MANY_QUEUES ? storeParts(fake, call) : undefined)
  return () => fake.requests.includes(RaftmqCode.SEND_TO_MANY_QUEUES)
}

function storePart(fake: FakeCluster, bytes: Buffer, part: SendPart): PartAnswer {
  const { topic, queueId, bornMs } = part
  const stored = decodeBatch(bytes, part).map(({ flag, body, properties }) =>
    fake.store({
      topic,
      queueId,
      flag,
      sysFlag: 0,
      bornTimestampMs: bornMs,
      bornHost: host,
      storeHost: host,
      reconsumeTimes: 0,
      preparedTransactionOffset: 0,
      body: Buffer.from(body),
      properties: Buffer.from(properties),
    }),
  )
  return {
    code: 0,
    queueId,
    queueOffset: stored[0]?.queueOffset ?? -1,
    offsets: stored.map(({ offset }) => offset),
  }
}
