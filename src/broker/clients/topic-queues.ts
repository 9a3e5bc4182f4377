/** The queues of a topic over all broker groups of the cluster, as name servers know them (RocketMQ TopicRouteInfoManager). */
import type { Clock } from '../../lib/clock.ts'
import { TopicRouteData } from '../../remoting/bodies/route.ts'
import { RequestCode, ResponseCode } from '../../remoting/codes.ts'
import type { RemotingCommand } from '../../remoting/command.ts'
import type { Request } from '../../remoting/connection.ts'
import { isReadable, type Topics } from '../tables/topics.ts'

export interface AssignedQueue {
  readonly topic: string
  readonly brokerName: string
  readonly queueId: number
}

export interface TopicQueuesNeeds {
  readonly client: { invoke(address: string, request: Request, timeoutMs: number): Promise<RemotingCommand> }
  readonly namesrvs: () => readonly string[]
  readonly topics: Pick<Topics, 'get'>
  readonly brokerName: string
  readonly clock: Clock
}

const FRESH_MS = 3_000
const TIMEOUT_MS = 1_000
const CACHED_MAX = 1_000
const PERM_READ = 4

export class TopicQueues {
  readonly #need: TopicQueuesNeeds
  readonly #others = new Map<string, { readonly queues: readonly AssignedQueue[]; readonly untilMs: number }>()

  constructor(need: TopicQueuesNeeds) {
    this.#need = need
  }

  /** Sorted as clients sort them. This group's own are as its table says; without a name server there are no others. */
  async of(topic: string): Promise<readonly AssignedQueue[]> {
    const { topics, brokerName } = this.#need
    const row = topics.get(topic)
    const count = row !== undefined && isReadable(row) ? row.readQueueNums : 0
    const own = Array.from({ length: count }, (_, queueId) => ({ topic, brokerName, queueId }))
    const all = [...own, ...(await this.#ofOthers(topic))]
    return all.sort((a, b) =>
      a.brokerName === b.brokerName ? a.queueId - b.queueId : a.brokerName < b.brokerName ? -1 : 1,
    )
  }

  async #ofOthers(topic: string): Promise<readonly AssignedQueue[]> {
    const { clock } = this.#need
    const known = this.#others.get(topic)
    if (known !== undefined && known.untilMs > clock.monotonicMs()) return known.queues
    // What was known is better than half of the cluster: clients would give up queues that are still there.
    const queues = (await this.#ask(topic)) ?? known?.queues ?? []
    if (this.#others.size >= CACHED_MAX) this.#others.clear()
    this.#others.set(topic, { queues, untilMs: clock.monotonicMs() + FRESH_MS })
    return queues
  }

  async #ask(topic: string): Promise<readonly AssignedQueue[] | undefined> {
    const { client, namesrvs, brokerName } = this.#need
    const request = { code: RequestCode.GET_ROUTEINFO_BY_TOPIC, header: { topic, acceptStandardJsonOnly: true } }
    for (const namesrv of namesrvs()) {
      const answer = await client.invoke(namesrv, request, TIMEOUT_MS).catch(() => undefined)
      if (answer?.code === ResponseCode.TOPIC_NOT_EXIST) return []
      if (answer?.code !== ResponseCode.SUCCESS) continue
      return TopicRouteData.decode(answer.body)
        .queueDatas.filter((data) => data.brokerName !== brokerName && (data.perm & PERM_READ) !== 0)
        .flatMap((data) =>
          Array.from({ length: data.readQueueNums }, (_, queueId) => ({ topic, brokerName: data.brokerName, queueId })),
        )
    }
    return undefined
  }
}
