/** Reads a topic from its start to its end. */
import { Admin, PushConsumer, type ReceivedMessage } from '../client/index.ts'
import { type Clock, sleep } from '../lib/clock.ts'

export interface ReadTopicNeeds {
  readonly clock: Clock
  readonly namesrv: string
  readonly topic: string
  /** A group that has read nothing yet. */
  readonly group: string
  onMessage(message: ReceivedMessage): void
  /** Reading is given up when nothing comes for so long. Default 30,000. */
  readonly silenceMs?: number
  readonly signal?: AbortSignal
}

const LOOK_EVERY_MS = 10
const SILENCE_MS = 30_000

/**
 * Resolves with the number of messages once every queue was read up to what its leader says is its end. Rejects where a
 * queue cannot be read so far.
 */
export async function readTopic(need: ReadTopicNeeds): Promise<number> {
  const { clock, namesrv, topic, group, silenceMs = SILENCE_MS, signal } = need
  /** By `placeOf`: the next offset to be read. */
  const reached = new Map<string, number>()
  let count = 0
  let lastMs = clock.monotonicMs()
  const consumer = new PushConsumer({ namesrv, group, from: 'first', clock }).subscribe(topic)
  const admin = new Admin({ namesrv, clock })
  try {
    await consumer.run((message) => {
      count += 1
      lastMs = clock.monotonicMs()
      const key = placeOf(message)
      reached.set(key, Math.max(reached.get(key) ?? 0, message.queueOffset + 1))
      need.onMessage(message)
    })
    for (;;) {
      const ends = await admin.topicStats(topic)
      const unread = (): boolean =>
        ends.some((end) => end.maxOffset > (reached.get(placeOf(end.queue)) ?? end.minOffset))
      // The ends are those of a moment ago: what was committed since is read, too.
      if (!unread()) return count
      while (unread()) {
        if (clock.monotonicMs() - lastMs > silenceMs) {
          throw new Error(`${topic} could not be read to its end: nothing came for ${silenceMs} ms`)
        }
        await sleep(clock, LOOK_EVERY_MS, signal)
      }
    }
  } finally {
    admin.close()
    await consumer.close()
  }
}

const placeOf = ({ brokerName, queueId }: { readonly brokerName: string; readonly queueId: number }): string =>
  `${brokerName}@${queueId}`
