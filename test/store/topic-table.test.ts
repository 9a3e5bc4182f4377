import { fc, it } from '@fast-check/vitest'
import { expect } from 'vitest'
import { javaHashCode } from '../../src/message/tags-code.ts'
import { topicHash, type TopicRow, TopicTable } from '../../src/store/topic-table.ts'

const name = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.nat(300).map((n) => `topic-${n}`),
  // Java's hash codes of both are equal.
  fc.constantFrom('AaAa', 'BBBB', 'AaBB'),
)
const isUtf8 = (text: string): boolean => Buffer.from(text).toString() === text
const step = fc.tuple(fc.constantFrom<('add' | 'remove')[]>('add', 'add', 'add', 'remove'), name.filter(isUtf8))

it.prop([fc.array(step, { maxLength: 300 })])(
  'topics are found by the bytes that records carry, and no others',
  (steps) => {
    const table = new TopicTable<TopicRow>()
    const rows = new Map<string, TopicRow>()
    const find = (topic: string): TopicRow | undefined => {
      const bytes = Buffer.from(`before${topic}behind`)
      const length = Buffer.byteLength(topic)
      return table.find(bytes, 6, length, topicHash(bytes, 6, length))
    }
    for (const [what, topic] of steps) {
      const row = rows.get(topic)
      expect(find(topic)).toBe(row)
      if (what === 'add' && row === undefined) {
        const added = { bytes: Buffer.from(topic), hash: javaHashCode(topic) }
        rows.set(topic, added)
        table.add(added)
      }
      if (what === 'remove' && row !== undefined) {
        rows.delete(topic)
        table.remove(row)
      }
    }
    for (const [topic, row] of rows) expect(find(topic)).toBe(row)
    table.clear()
    for (const topic of rows.keys()) expect(find(topic)).toBeUndefined()
  },
)
