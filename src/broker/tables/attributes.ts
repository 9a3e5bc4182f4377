/** Attributes of topics and groups, and how an administrator alters them (RocketMQ AttributeParser, AttributeUtil). */
import { refusal } from '../errors.ts'

export type Attributes = Readonly<Record<string, string>>
/** `+name` → value to set, `-name` → '' to remove. */
export type AttributeChanges = Readonly<Record<string, string>>

interface AttributeSpec {
  readonly changeable: boolean
  readonly accepts: (value: string) => boolean
}

const oneOf =
  (...values: string[]): AttributeSpec['accepts'] =>
  (value) =>
    values.includes(value)

/** RocketMQ TopicAttributes. */
export const topicAttributes: Readonly<Record<string, AttributeSpec>> = {
  'queue.type': { changeable: false, accepts: oneOf('SimpleCQ') },
  'cleanup.policy': { changeable: false, accepts: oneOf('DELETE') },
  'message.type': {
    changeable: true,
    accepts: oneOf('UNSPECIFIED', 'NORMAL', 'FIFO', 'DELAY', 'TRANSACTION', 'PRIORITY', 'LITE', 'MIXED'),
  },
}

/** Groups have none yet (RocketMQ SubscriptionGroupAttributes is empty, too). */
export const groupAttributes: Readonly<Record<string, AttributeSpec>> = {}

/** Parses `+key1=value1,-key2`. Throws BROKER_REFUSED with RocketMQ's words. */
export function parseAttributeChanges(text: string | undefined): AttributeChanges {
  const changes: Record<string, string> = {}
  if (text === undefined || text === '') return changes
  for (const pair of text.split(',')) {
    const equals = pair.indexOf('=')
    const key = equals < 0 ? pair : pair.slice(0, equals)
    if (equals >= 0 && !key.startsWith('+')) throw bad(`add/alter attribute format is wrong: ${key}`)
    if (equals < 0 && !key.startsWith('-')) throw bad(`delete attribute format is wrong: ${key}`)
    if (Object.hasOwn(changes, key)) throw bad(`key duplication: ${key}`)
    changes[key] = equals < 0 ? '' : pair.slice(equals + 1)
  }
  return changes
}

/** Throws BROKER_REFUSED unless `changes` may be made to `current` (undefined: to something new). */
export function checkAttributeChanges(
  specs: Readonly<Record<string, AttributeSpec>>,
  current: Attributes | undefined,
  changes: AttributeChanges,
): void {
  const seen = new Set<string>()
  for (const [key, value] of Object.entries(changes)) {
    const name = key.slice(1)
    if (name === '' || name.includes('+') || name.includes('-')) throw bad('kv string format wrong.')
    if (seen.has(name)) throw bad(`alter duplication key. key: ${name}`)
    seen.add(name)
    const isRemoval = key.startsWith('-')
    if (!isRemoval && !key.startsWith('+')) throw bad(`wrong format key: ${name}`)
    if (isRemoval && current === undefined) {
      throw bad(`only add attribute is supported while creating topic. key: ${name}`)
    }
    if (isRemoval && current?.[name] === undefined) throw bad(`attempt to delete a nonexistent key: ${name}`)
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined
    if (spec === undefined) throw bad(`unsupported key: ${name}`)
    if (current !== undefined && !spec.changeable) {
      throw bad(`attempt to update an unchangeable attribute. key: ${name}`)
    }
    if (!isRemoval && !spec.accepts(value)) throw bad(`value is not in set: ${name}=${value}`)
  }
}

/** `current` with `changes` made. Total: commands are checked before they are proposed. */
export function alterAttributes(current: Attributes, changes: AttributeChanges): Attributes {
  const altered: Record<string, string> = { ...current }
  for (const [key, value] of Object.entries(changes)) {
    if (key.startsWith('+')) altered[key.slice(1)] = value
    else delete altered[key.slice(1)]
  }
  return altered
}

function bad(why: string): Error {
  return refusal('BROKER_REFUSED', why)
}
