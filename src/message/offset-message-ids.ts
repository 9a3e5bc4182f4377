import { encodeOffsetMessageId, hexOfByte } from './message-id.ts'
import type { Host } from './record.ts'

/** Bytes of log whose offsets have all but their last four digits in common. */
const STRETCH_BYTES = 65_536

/** A maker of offset message ids (`message-id.ts`) for records that one node stores: their first part never changes. */
export function offsetMessageIds(storeHost: Host): (offset: number) => string {
  const prefix = encodeOffsetMessageId(storeHost, 0).slice(0, -16)
  let stretch = Number.NaN
  let beginning = ''
  return (offset) => {
    const above = Math.floor(offset / STRETCH_BYTES)
    if (above !== stretch) {
      stretch = above
      beginning = prefix + above.toString(16).toUpperCase().padStart(12, '0')
    }
    const below = offset - above * STRETCH_BYTES
    return beginning + hexOfByte(below >>> 8) + hexOfByte(below & 0xff)
  }
}
