/** A queue as one group pops it. */
export interface PopQueue {
  readonly topic: string
  readonly group: string
  readonly queueId: number
}

export function queueKey({ topic, group, queueId }: PopQueue): string {
  return `${topic}@${group}@${queueId}`
}
