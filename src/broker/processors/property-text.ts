/** Properties of a message as the text that a send carries: `name 0x01 value 0x02`, one after the other. */
import { PropertyName } from '../../message/properties.ts'

export function propertyText(properties: Iterable<readonly [name: string, value: string]>): string {
  let text = ''
  for (const [name, value] of properties) text += `${name}\u0001${value}\u0002`
  return text
}

/** RocketMQ Message.isWaitStoreMsgOK: true where nothing is said, and Boolean.parseBoolean of what is. */
export function waitsForStore(properties: string): boolean {
  const value = lastProperty(properties, PropertyName.WAIT)
  return value === undefined || value.toLowerCase() === 'true'
}

/** The value of `name`, the last one where it is there more than once. */
export function lastProperty(properties: string, name: string): string | undefined {
  const key = `${name}\u0001`
  let at = properties.lastIndexOf(key)
  while (at > 0 && properties.charCodeAt(at - 1) !== 2) at = properties.lastIndexOf(key, at - 1)
  if (at < 0) return undefined
  const start = at + key.length
  const end = properties.indexOf('\u0002', start)
  return end < 0 ? properties.slice(start) : properties.slice(start, end)
}
