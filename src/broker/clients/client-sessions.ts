/**
 * What follows from clients coming and going (RocketMQ ClientManageProcessor, DefaultConsumerIdsChangeListener): the
 * leader makes their groups and retry topics and tells the members of a group that changed; a follower tells the leader.
 */
import type { Clock } from '../../lib/clock.ts'
import type { ConsumerData } from '../../remoting/bodies/client.ts'
import { RequestCode } from '../../remoting/codes.ts'
import type { Origin } from '../../remoting/route.ts'
import type { AutoCreate } from '../tables/auto-create.ts'
import type { ClientRelay } from './client-relay.ts'
import type { Clients, Heartbeat } from './clients.ts'
import type { Leadership, Proposals } from '../needs.ts'
import type { SubscriptionGroups } from '../tables/subscription-groups.ts'
import type { Topics } from '../tables/topics.ts'

export interface ClientSessionsNeeds {
  readonly clients: Clients
  readonly relay: Pick<ClientRelay, 'placeOf' | 'share' | 'notify'>
  readonly autoCreate: AutoCreate
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly proposals: Pick<Proposals, 'command'>
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly clock: Clock
  readonly options: { readonly notifyConsumerIdsChangedEnable: boolean }
}

/** A client leaves groups in so many words. */
export interface Leaving {
  readonly clientId: string
  readonly producerGroup: string | undefined
  readonly consumerGroup: string | undefined
}

const UNIT_SUB_FLAG = 2
/** To one group. */
const NOTICES_PER_SECOND = 1_000
/** Each member that hears a notice asks for the list of all: names in the lists that one group's notices bring about. */
const NAMES_PER_SECOND = 200_000
/** Small groups are told at once, always. */
const SHORTEST_QUIET_MS = 50
/** By then members look by themselves (RocketMQ RebalanceService waitInterval). */
const LONGEST_QUIET_MS = 20_000

export class ClientSessions {
  readonly #need: ClientSessionsNeeds
  /** Groups whose members are told at the end of this turn. */
  readonly #changed = new Set<string>()
  /** Large groups that were told a moment ago; true: changed since. */
  readonly #waiting = new Map<string, boolean>()

  constructor(need: ClientSessionsNeeds) {
    this.#need = need
    need.clients.onGroupChanged((group) => this.#groupChanged(group))
    need.clients.onReported(({ consumers }) => {
      // What cannot be made now is made by the client's next heartbeat, which is reported, too.
      this.#makeWhatIsNeeded(consumers).catch(() => undefined)
    })
  }

  /**
   * A client of this node. Resolves, on the leader, when what its groups need is made, with a digest of each group's
   * members, in the order of its consumers.
   */
  async heartbeat(origin: Origin, heartbeat: Heartbeat): Promise<readonly string[] | undefined> {
    const { clients, relay, leadership } = this.#need
    if (origin.closed) return undefined
    const place = relay.placeOf(origin)
    clients.heartbeat(heartbeat, place)
    relay.share({ kind: 'heartbeat', connectionId: place.connectionId, heartbeat })
    await this.#makeWhatIsNeeded(heartbeat.consumers)
    return leadership.isReady
      ? heartbeat.consumers.map((consumer) => clients.membersDigest(consumer.groupName))
      : undefined
  }

  unregister(origin: Origin, leaving: Leaving): void {
    const { clients, relay } = this.#need
    clients.unregister(leaving)
    relay.share({ kind: 'unregister', connectionId: relay.placeOf(origin).connectionId, ...leaving })
  }

  /** On the leader: the group of every consumer and its retry topic, which their first heartbeat finds missing. */
  async #makeWhatIsNeeded(consumers: readonly ConsumerData[]): Promise<void> {
    const { autoCreate, topics, proposals, leadership } = this.#need
    if (!leadership.isReady) return
    await Promise.all(
      consumers.map(async (consumer) => {
        const group = await autoCreate.group(consumer.groupName)
        if (group === undefined || group.retryQueueNums <= 0) return
        const order = consumer.subscriptionDataSet.some(({ topic }) => topics.get(topic)?.order === true)
        const sysFlag = consumer.unitMode ? UNIT_SUB_FLAG : 0
        const retryTopic = await autoCreate.retryTopic(group, { sysFlag, order })
        if (retryTopic.order !== order) await proposals.command(topics.commands.update([{ ...retryTopic, order }], []))
      }),
    )
  }

  /** One notice for all that changed in a turn: a new leader hears of many clients at once. */
  #groupChanged(group: string): void {
    const { clock, leadership } = this.#need
    if (!leadership.isReady || !this.#need.options.notifyConsumerIdsChangedEnable) return
    if (this.#waiting.has(group)) {
      this.#waiting.set(group, true)
      return
    }
    if (this.#changed.size === 0) clock.endOfTurn(() => this.#notifyAll())
    this.#changed.add(group)
  }

  #notifyAll(): void {
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const group of changed) this.#notify(group)
  }

  /**
   * Every member of a group that many clients join hears of it, and asks who is there: with a notice for each that joins,
   * n members would be n² notices, and n³ names in the lists they ask for. A group is told again only after as long as its
   * last notices stand for; what changes meanwhile is in the next one.
   */
  #notify(consumerGroup: string): void {
    const { clients, groups, relay, clock } = this.#need
    if (groups.get(consumerGroup)?.notifyConsumerIdsChangedEnable === false) return
    if (clients.consumerGroup(consumerGroup)?.messageModel === 'BROADCASTING') return
    const members = clients.consumers(consumerGroup)
    const request = { code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, header: { consumerGroup } }
    for (const member of members) relay.notify(member, request)
    const quietMs = quietMsOf(members.length)
    if (quietMs < SHORTEST_QUIET_MS) return
    this.#waiting.set(consumerGroup, false)
    clock.after(quietMs, () => {
      const isChanged = this.#waiting.get(consumerGroup) === true
      this.#waiting.delete(consumerGroup)
      if (isChanged) this.#groupChanged(consumerGroup)
    })
  }
}

function quietMsOf(members: number): number {
  const seconds = Math.max(members / NOTICES_PER_SECOND, members ** 2 / NAMES_PER_SECOND)
  return Math.min(seconds * 1_000, LONGEST_QUIET_MS)
}
