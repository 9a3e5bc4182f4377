import { encodeOffsetMessageId } from '../message/message-id.ts'
import type { Host } from '../message/record.ts'

/** A maker of offset message ids (`message-id.ts`) for records that this node stores: their first part never changes. */
export function offsetMessageIds(storeHost: Host): (offset: number) => string {
  const prefix = encodeOffsetMessageId(storeHost, 0).slice(0, -16)
  return (offset) => prefix + offset.toString(16).toUpperCase().padStart(16, '0')
}
