/** Topics that brokers make for themselves are of no interest to whoever lists their own. */
import type { BrokerGroup } from '../client/core/topic-route.ts'

const systemNames =
  /^(?:TBW102|SELF_TEST_TOPIC|BenchmarkTest|OFFSET_MOVED_EVENT|SCHEDULE_TOPIC_XXXX|RMQ_SYS_.*|rmq_sys_.*|TRANS_CHECK_MAX_TIME_TOPIC|%RETRY%.*|%DLQ%.*|.*_REPLY_TOPIC)$/

/** Brokers have a topic of their own name, and one of their cluster's. */
export function isUserTopic(topic: string, brokers: readonly BrokerGroup[]): boolean {
  return (
    !systemNames.test(topic) && !brokers.some(({ brokerName, cluster }) => topic === brokerName || topic === cluster)
  )
}
