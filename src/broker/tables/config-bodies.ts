/** Topics and groups between the tables' rows and the bodies of the wire, whose attributes are maps. */
import type { DataVersion } from '../../remoting/bodies/data-version.ts'
import type { SubscriptionGroupConfig } from '../../remoting/bodies/group.ts'
import type { TopicConfig as TopicBody } from '../../remoting/bodies/topic.ts'
import type { TableVersion } from './config-table.ts'
import type { SubscriptionGroup } from './subscription-groups.ts'
import type { TopicConfig } from './topics.ts'

export function topicBody(topic: TopicConfig): TopicBody {
  return { ...topic, attributes: new Map(Object.entries(topic.attributes)) }
}

/** Without attributes: those of a body are changes to be made. */
export function topicRow(body: TopicBody): TopicConfig {
  const topicFilterType = body.topicFilterType === 'MULTI_TAG' ? 'MULTI_TAG' : 'SINGLE_TAG'
  return { ...body, topicFilterType, attributes: {} }
}

export function groupBody(group: SubscriptionGroup): SubscriptionGroupConfig {
  return {
    ...group,
    attributes: new Map(Object.entries(group.attributes)),
    subscriptionDataSet: group.subscriptionDataSet ?? undefined,
  }
}

/** Without attributes: those of a body are changes to be made. */
export function groupRow(body: SubscriptionGroupConfig): SubscriptionGroup {
  return { ...body, subscriptionDataSet: body.subscriptionDataSet ?? null, attributes: {} }
}

/** `term` is the leader's: name servers let it win over every counter of an older leader. */
export function dataVersion(version: TableVersion, term: number): DataVersion {
  return { stateVersion: term, timestamp: version.timestampMs, counter: version.counter }
}
