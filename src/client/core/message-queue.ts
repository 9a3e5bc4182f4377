/** One queue of a topic on one broker group: the unit of order, of assignment and of offsets. */
export interface MessageQueue {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
}

/** A key for maps: equal queues, equal keys. */
export function queueKey(queue: MessageQueue): string {
  return `${queue.topic}@${queue.brokerName}@${queue.queueId}`
}

/** The order of RocketMQ's `MessageQueue.compareTo`: topic, broker name, queue id. All clients of a group must agree on it. */
export function compareQueues(a: MessageQueue, b: MessageQueue): number {
  return compareText(a.topic, b.topic) || compareText(a.brokerName, b.brokerName) || a.queueId - b.queueId
}

/** Java's `String.compareTo` order (UTF-16 code units), independent of any locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
