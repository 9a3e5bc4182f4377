/** What a consumer wants of a topic (RocketMQ SubscriptionData, FilterAPI, ExpressionMessageFilter). */
import { SqlFilter } from '../../filter/sql-filter.ts'
import { errorCode } from '../../lib/errors.ts'
import { javaHashCode } from '../../message/tags-code.ts'
import type { SubscriptionData } from '../../remoting/bodies/client.ts'
import { refusal } from '../errors.ts'

export interface Subscription {
  readonly data: SubscriptionData
  /** Hashes of the tags wanted; undefined: all messages. */
  readonly tagsCodes: ReadonlySet<number> | undefined
  /** Of an SQL92 subscription; undefined also for one that cannot be parsed: nothing is pulled by it. */
  readonly filter: SqlFilter | undefined
}

const ALL = '*'

export function isTagExpression(type: string | undefined): boolean {
  return type === undefined || type === '' || type === 'TAG'
}

/** Throws RocketMQ's refusal of anything but tags while `enablePropertyFilter` is off, as it is unless set. */
export function checkExpressionType(
  type: string | undefined,
  options: { readonly enablePropertyFilter: boolean },
): void {
  if (options.enablePropertyFilter || isTagExpression(type)) return
  throw refusal('BROKER_UNSUPPORTED', `The broker does not support consumer to filter message by ${type}`)
}

/** A subscription as it came in a heartbeat. */
export function subscriptionOf(data: SubscriptionData): Subscription {
  if (!isTagExpression(data.expressionType)) {
    return { data, tagsCodes: undefined, filter: readable(data.expressionType, data.subString) }
  }
  if (data.classFilterMode || data.subString === ALL) return { data, tagsCodes: undefined, filter: undefined }
  // Clients in other languages leave out the codes, or the tags.
  const codes = new Set(data.codeSet)
  for (const tag of data.tagsSet) codes.add(javaHashCode(tag))
  if (codes.size > 0) return { data, tagsCodes: codes, filter: undefined }
  return parseSubscription({
    topic: data.topic,
    expression: data.subString,
    type: data.expressionType,
    version: data.subVersion,
  })
}

/**
 * The subscription of an expression `A || B`, `*` or nothing, or of an SQL92 expression. Throws
 * BROKER_SUBSCRIPTION_UNREADABLE or FILTER_SYNTAX.
 */
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
    const filter = compileFilter(expressionType, expression)
    return { data: { ...data, subString: expression, tagsSet: [], codeSet: [] }, tagsCodes: undefined, filter }
  }
  if (expression === '' || expression === ALL) {
    return { data: { ...data, subString: ALL, tagsSet: [], codeSet: [] }, tagsCodes: undefined, filter: undefined }
  }
  const tags = expression
    .split('||')
    .map((tag) => tag.trim())
    .filter((tag) => tag !== '')
  if (tags.length === 0) {
    throw refusal('BROKER_SUBSCRIPTION_UNREADABLE', "parse the consumer's subscription failed: subString split error")
  }
  const codeSet = tags.map((tag) => javaHashCode(tag))
  return {
    data: { ...data, subString: expression, tagsSet: tags, codeSet },
    tagsCodes: new Set(codeSet),
    filter: undefined,
  }
}

/** A filter of a type other than tags. Throws BROKER_SUBSCRIPTION_UNREADABLE or FILTER_SYNTAX. */
export function compileFilter(type: string, expression: string): SqlFilter {
  if (type === 'SQL92') return SqlFilter.compile(expression)
  throw refusal('BROKER_SUBSCRIPTION_UNREADABLE', `no filter of type ${type}`)
}

/** Heartbeats with an unreadable expression are taken, as in RocketMQ: a client's other subscriptions go on. */
function readable(type: string, expression: string): SqlFilter | undefined {
  try {
    return compileFilter(type, expression)
  } catch (error) {
    if (errorCode(error) === undefined) throw error
    return undefined
  }
}
