/**
 * What follows from clients coming and going (RocketMQ ClientManageProcessor, DefaultConsumerIdsChangeListener): the
 * leader makes their groups and retry topics and tells the members of a group that changed; a follower tells the leader.
 */
import type { Clock } from '../lib/clock.ts'
import type { ConsumerData } from '../remoting/bodies/client.ts'
import { RequestCode } from '../remoting/codes.ts'
import type { AutoCreate } from './auto-create.ts'
import type { ClientReport, Clients, Heartbeat } from './clients.ts'
import type { ClientConnection, ClientConnections, ToClients } from './client-connections.ts'
import type { Leadership, Proposals } from './needs.ts'
import type { SubscriptionGroups } from './subscription-groups.ts'
import type { Topics } from './topics.ts'

export interface ClientSessionsNeeds {
  readonly clients: Clients
  readonly connections: ClientConnections
  readonly autoCreate: AutoCreate
  readonly topics: Topics
  readonly groups: SubscriptionGroups
  readonly proposals: Pick<Proposals, 'command'>
  readonly leadership: Pick<Leadership, 'isReady'>
  readonly toClients: Pick<ToClients, 'oneway'>
  /** Tells the leader, in order; does nothing on the leader itself and when there is none. */
  readonly share: (report: ClientReport) => void
  readonly clock: Clock
}

const UNIT_SUB_FLAG = 2

export class ClientSessions {
  readonly #need: ClientSessionsNeeds
  /** Groups whose members are told at the end of this turn. */
  readonly #changed = new Set<string>()

  constructor(need: ClientSessionsNeeds) {
    this.#need = need
    need.clients.onGroupChanged((group) => this.#groupChanged(group))
    need.connections.onClosed((connectionId) => {
      need.clients.connectionClosed({ node: undefined, connectionId })
      need.share({ kind: 'closed', connectionId })
    })
  }

  /** A client of this node. Resolves, on the leader, when what its groups need is made. */
  async heartbeat(connection: ClientConnection, heartbeat: Heartbeat): Promise<void> {
    const { clients, connections, share, leadership } = this.#need
    if (connection.closed) return
    const connectionId = connections.numberOf(connection)
    clients.heartbeat(heartbeat, { node: undefined, connectionId })
    share({ kind: 'heartbeat', connectionId, heartbeat })
    if (leadership.isReady) await this.#makeWhatIsNeeded(heartbeat.consumers)
  }

  unregister(
    connection: ClientConnection,
    leaving: {
      readonly clientId: string
      readonly producerGroup: string | undefined
      readonly consumerGroup: string | undefined
    },
  ): void {
    const { clients, connections, share } = this.#need
    clients.unregister(leaving)
    share({ kind: 'unregister', connectionId: connections.numberOf(connection), ...leaving })
  }

  /** On the leader: what node `node` reports of its clients. */
  async report(node: string, report: ClientReport): Promise<void> {
    const { clients, leadership } = this.#need
    clients.report(node, report)
    if (report.kind === 'heartbeat' && leadership.isReady) await this.#makeWhatIsNeeded(report.heartbeat.consumers)
  }

  /** The group of every consumer and its retry topic, as their first heartbeat finds them missing. */
  async #makeWhatIsNeeded(consumers: readonly ConsumerData[]): Promise<void> {
    const { autoCreate, topics, proposals } = this.#need
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
    if (!leadership.isReady) return
    if (this.#changed.size === 0) clock.endOfTurn(() => this.#notify())
    this.#changed.add(group)
  }

  #notify(): void {
    const { clients, groups, toClients } = this.#need
    const changed = [...this.#changed]
    this.#changed.clear()
    for (const consumerGroup of changed) {
      if (groups.get(consumerGroup)?.notifyConsumerIdsChangedEnable === false) continue
      if (clients.consumerGroup(consumerGroup)?.messageModel === 'BROADCASTING') continue
      const request = { code: RequestCode.NOTIFY_CONSUMER_IDS_CHANGED, header: { consumerGroup } }
      for (const { place } of clients.consumers(consumerGroup)) toClients.oneway(place, request)
    }
  }
}
