import { ask } from './ask.ts'
import { pause } from './scenario.ts'

const QUEUES = 4
const WITHIN_MS = 30_000

/**
 * Waits until the group has committed an offset in each of the topic's four queues, all of which had messages: a stock
 * client does so ten seconds after its start for the first time, and with some of its pulls. `leader` is `host:port`.
 */
export async function areCommitted(leader: string, topic: string, group: string): Promise<void> {
  const deadline = performance.now() + WITHIN_MS
  for (let queueId = 0; queueId < QUEUES; ) {
    const asked = { consumerGroup: group, topic, queueId: String(queueId), setZeroIfNotFound: 'false' }
    const { code } = await ask(leader, 14, asked)
    if (code === 0) queueId++
    else if (performance.now() > deadline) throw new Error(`queue ${queueId} has no committed offset after 30 s`)
    else await pause(200)
  }
}
