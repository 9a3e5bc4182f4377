/** Who consumes a topic (300). */
import { GroupList } from '../../remoting/bodies/group.ts'
import { RequestCode } from '../../remoting/codes.ts'
import { compareText } from '../core/message-queue.ts'
import type { AdminConnection } from './connection.ts'

/** The groups that are connected for it or have offsets in it, sorted. Errors: `CLIENT_NO_ROUTE`. */
export async function topicConsumers(at: AdminConnection, topic: string): Promise<string[]> {
  const route = await at.existing(topic)
  const request = { code: RequestCode.QUERY_TOPIC_CONSUME_BY_WHO, header: { topic } }
  const answers = await Promise.all([...route.brokers.values()].map((group) => at.leader(group, request)))
  const groups = answers.flatMap(({ body }) => GroupList.decode(body).groupList)
  return [...new Set(groups)].sort(compareText)
}
