/** What a consumer wants of a topic (RocketMQ SubscriptionData, FilterAPI, ExpressionMessageFilter). */
import { javaHashCode } from '../message/tags-code.ts'
import type { SubscriptionData } from '../remoting/bodies/client.ts'
import { refusal } from './errors.ts'

export interface Subscription {
  readonly data: SubscriptionData
  /** Hashes of the tags wanted; undefined: all messages. */
  readonly tagsCodes: ReadonlySet<number> | undefined
}

const ALL = '*'

export function isTagExpression(type: string | undefined): boolean {
  return type === undefined || type === '' || type === 'TAG'
}

/** A subscription as it came in a heartbeat. */
export function subscriptionOf(data: SubscriptionData): Subscription {
  if (data.classFilterMode || data.subString === ALL || !isTagExpression(data.expressionType)) {
    return { data, tagsCodes: undefined }
  }
  // Clients in other languages leave out the codes, or the tags.
  const codes = new Set(data.codeSet)
  for (const tag of data.tagsSet) codes.add(javaHashCode(tag))
  if (codes.size > 0) return { data, tagsCodes: codes }
  return parseSubscription({
    topic: data.topic,
    expression: data.subString,
    type: data.expressionType,
    version: data.subVersion,
  })
}

/** The subscription of an expression `A || B`, `*` or nothing. Throws BROKER_SUBSCRIPTION_UNREADABLE. */
export function parseSubscription(given: {
  readonly topic: string
  readonly expression: string | undefined
  readonly type: string | undefined
  readonly version: number
}): Subscription {
  const { topic, type, version } = given
  const expression = given.expression?.trim() ?? ''
  const expressionType = type === undefined || type === '' ? 'TAG' : type
  const data = { classFilterMode: false, topic, subVersion: version, expressionType }
  if (!isTagExpression(type)) {
    return { data: { ...data, subString: expression, tagsSet: [], codeSet: [] }, tagsCodes: undefined }
  }
  if (expression === '' || expression === ALL) {
    return { data: { ...data, subString: ALL, tagsSet: [], codeSet: [] }, tagsCodes: undefined }
  }
  const tags = expression
    .split('||')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  if (tags.length === 0) {
    throw refusal('BROKER_SUBSCRIPTION_UNREADABLE', "parse the consumer's subscription failed: subString split error")
  }
  const codeSet = tags.map((tag) => javaHashCode(tag))
  return { data: { ...data, subString: expression, tagsSet: tags, codeSet }, tagsCodes: new Set(codeSet) }
}
