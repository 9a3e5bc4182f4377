/**
 * Java's `String.hashCode`: s[0]·31^(n-1) + … + s[n-1] over UTF-16 units, in int32 arithmetic. RocketMQ's ConsumeQueue
 * keeps it of a message's tags, its key index of `topic#key`; clients send it in subscriptions. A hash may be continued:
 * hashCode(a + b) is hashCode(b) started from hashCode(a).
 */

/** `String.hashCode` of `text`, started from `seed`. */
export function javaHashCode(text: string, seed = 0): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/** `String.hashCode` of the UTF-8 text `bytes[start, end)`, started from `seed`; makes no string for ASCII. */
export function javaHashCodeOfBytes(bytes: Buffer, start: number, end: number, seed = 0): number {
  let hash = seed
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte >= 0x80) return javaHashCode(bytes.toString('utf8', start, end), seed)
    hash = (Math.imul(hash, 31) + byte) | 0
  }
  return hash
}

/** The tags code of a message: 0 without tags (RocketMQ MessageExtBrokerInner.tagsString2tagsCode). */
export function tagsCode(tags: string | undefined): number {
  return tags === undefined ? 0 : javaHashCode(tags)
}
