/** A fake cluster with a topic, and a producer of it: what most tests of clients begin with. */
import type { ProducerOptions } from '../../src/client/producer/producer-options.ts'
import { Producer } from '../../src/client/producer/producer.ts'
import { RequestCode } from '../../src/remoting/codes.ts'
import { FakeCluster } from './fake-broker.ts'
import { opened } from './open.ts'

/** It has topic `T`. */
export async function clusterWithTopic(options: { nodes?: number } = {}): Promise<FakeCluster> {
  const fake = opened(await FakeCluster.start(options))
  fake.createTopic('T')
  return fake
}

/** Started; what it has not sent by the end of the test is given up. */
export async function producerOf(fake: FakeCluster, options: Partial<ProducerOptions> = {}): Promise<Producer> {
  const producer = new Producer({ namesrv: fake.namesrv, group: 'P', ...options })
  await producer.start()
  opened({ close: () => producer.close({ signal: AbortSignal.abort() }) })
  return producer
}

export const isSend = (code: number): boolean =>
  code === RequestCode.SEND_MESSAGE_V2 || code === RequestCode.SEND_BATCH_MESSAGE
