/** RaftMQ's own producers and consumer. */
import { PushConsumer } from '../src/client/index.ts'
import { queueKey } from '../src/client/core/message-queue.ts'
import { systemClock } from '../src/lib/clock.ts'
import { BODY_BYTES, RecordedLoad } from '../src/load/recorded-load.ts'
import { Workload } from '../src/load/workload.ts'
import { LIVE_READER, type Traffic, type TrafficRequest } from './traffic.ts'

export class OwnTraffic implements Traffic {
  readonly #request: TrafficRequest
  readonly #sends: RecordedLoad
  readonly #consumer: PushConsumer

  constructor(request: TrafficRequest) {
    const { namesrv, topic, group, brokerName, queues } = request
    this.#request = request
    const orderedQueues = Array.from({ length: queues }, (_, queueId) => ({ topic, brokerName, queueId }))
    this.#sends = new RecordedLoad({ ...request, clock: systemClock, orderedQueues })
    this.#consumer = new PushConsumer({ namesrv, group, from: 'first' }).subscribe(topic)
  }

  async start(): Promise<void> {
    const { run, topic, history, deliveries } = this.#request
    const workload = new Workload({ clock: systemClock, run, topic, bodyBytes: BODY_BYTES, history })
    await this.#consumer.run((message) => {
      if (!workload.received(LIVE_READER, message)) return
      const { storedTopic, brokerName, queueId, queueOffset } = message
      const queue = queueKey({ topic: storedTopic, brokerName, queueId })
      deliveries.took(queue, queueOffset, systemClock.monotonicMs())
    })
    await this.#sends.start()
  }

  async stopSends(): Promise<void> {
    await this.#sends.stop()
  }

  close(): Promise<void> {
    return this.#consumer.close()
  }
}
