/** What a consumer wants of a topic, in the form the broker is told (RocketMQ FilterAPI, SubscriptionData). */
import { javaHashCode } from '../../message/tags-code.ts'
import { clientErrors } from './errors.ts'

/** `'*'`, `'TagA || TagB'`, or an SQL92 expression (which the broker must support). */
export type Filter = string | { readonly sql: string }

/**
 * Messages with one of these tags.
 *
 * ```ts
 * consumer.subscribe('Orders', tag('new', 'changed'))
 * ```
 */
export function tag(...tags: readonly [string, ...string[]]): Filter {
  for (const one of tags) {
    if (one.trim() === '' || one.includes('|') || one.trim() === '*') {
      throw clientErrors.create('CLIENT_OPTION', `${JSON.stringify(one)} is no tag`)
    }
  }
  return tags.join(' || ')
}

/**
 * Messages whose properties fulfil an SQL92 expression; the broker decides, and says which column it does not understand.
 * Needs `enablePropertyFilter=true` there.
 *
 * ```ts
 * consumer.subscribe('Orders', sql("amount > 100 AND country IN ('CH', 'AT')"))
 * ```
 */
export function sql(expression: string): Filter {
  return { sql: expression }
}

export interface SubscriptionData {
  readonly classFilterMode: false
  readonly topic: string
  readonly subString: string
  readonly tagsSet: readonly string[]
  readonly codeSet: readonly number[]
  readonly subVersion: number
  readonly expressionType: 'TAG' | 'SQL92'
}

/** `subVersion` is the time of subscribing: the broker lets the newer of two subscriptions of a group win. */
export function subscriptionOf(topic: string, filter: Filter, subVersion: number): SubscriptionData {
  const base = { classFilterMode: false, topic, subVersion } as const
  if (typeof filter !== 'string') {
    if (typeof filter?.sql !== 'string') {
      throw clientErrors.create('CLIENT_OPTION', `filter of ${topic}: that is neither text nor sql('…')`)
    }
    if (filter.sql.trim() === '') throw clientErrors.create('CLIENT_OPTION', `filter of ${topic}: the SQL is empty`)
    return { ...base, subString: filter.sql, tagsSet: [], codeSet: [], expressionType: 'SQL92' }
  }
  const tags = tagsOf(filter)
  if (filter.trim() !== '' && filter.trim() !== '*' && tags.length === 0) {
    throw clientErrors.create('CLIENT_OPTION', `filter of ${topic}: ${JSON.stringify(filter)} names no tag`)
  }
  const subString = tags.length === 0 ? '*' : filter.trim()
  return { ...base, subString, tagsSet: tags, codeSet: tags.map((tag) => javaHashCode(tag)), expressionType: 'TAG' }
}

/**
 * Whether a message with these tags is wanted. The broker filters by the tags' hash, which can collide: the client looks
 * at the tags themselves once more.
 */
export function wants(subscription: SubscriptionData, tag: string | undefined): boolean {
  if (subscription.tagsSet.length === 0) return true
  return tag !== undefined && subscription.tagsSet.includes(tag)
}

function tagsOf(filter: string): string[] {
  const trimmed = filter.trim()
  if (trimmed === '' || trimmed === '*') return []
  return [
    ...new Set(
      trimmed
        .split('||')
        .map((tag) => tag.trim())
        .filter((tag) => tag !== ''),
    ),
  ]
}
