import { fc, test } from '@fast-check/vitest'
import { pack, unpack } from 'msgpackr'
import { describe, expect } from 'vitest'
import { PendingHalves } from '../../src/broker/transactions/pending-halves.ts'
import { digestRows } from '../../src/broker/tables/table-rows.ts'

function end(halves: PendingHalves, queueOffsets: readonly number[]): void {
  halves.apply('end', halves.end(queueOffsets).args)
}

describe('the table of pending halves', () => {
  test.prop([fc.array(fc.nat(3_000), { maxLength: 400 }), fc.nat(20)], { numRuns: 50 })(
    'knows which ended, and a replica that began with its snapshot knows the same',
    (offsets, every) => {
      const halves = new PendingHalves()
      const ended = new Set<number>()
      const snapshot = new Map<string, unknown>()
      let replica = new PendingHalves()
      for (const [step, queueOffset] of offsets.entries()) {
        if (!ended.has(queueOffset)) {
          ended.add(queueOffset)
          end(halves, [queueOffset])
          end(replica, [queueOffset])
        }
        if (step % (every + 1) !== 0) continue
        for (const [key, value] of halves.takeChanges()) {
          if (value === undefined) snapshot.delete(key)
          else snapshot.set(key, unpack(pack(value)))
        }
        replica = new PendingHalves()
        replica.load(snapshot)
      }
      const pending = Array.from({ length: 3_001 }, (_, offset) => offset).filter((offset) => !ended.has(offset))
      for (const table of [halves, replica]) {
        expect(table.from).toBe(pending[0])
        expect(table.next(0, 3_001)).toBe(pending[0])
        expect(table.next(1_500, 3_001)).toBe(pending.find((offset) => offset >= 1_500))
        expect(pending.every((offset) => table.isPending(offset))).toBe(true)
        expect([...ended].some((offset) => table.isPending(offset))).toBe(false)
      }
      expect(digestRows(replica.rows())).toBe(digestRows(halves.rows()))
    },
  )

  test('forgets what lies before the first pending one', () => {
    const halves = new PendingHalves()
    for (let offset = 0; offset < 5_000; offset++) end(halves, [offset])
    expect(halves.from).toBe(5_000)
    expect([...halves.rows()]).toHaveLength(2)
  })

  test('ends a half once', () => {
    const halves = new PendingHalves()
    end(halves, [7])
    expect(() => end(halves, [7])).toThrow('a half ends once')
  })
})
