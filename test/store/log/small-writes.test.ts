import { describe, expect, test } from 'vitest'
import { deferred } from '../../../src/lib/deferred.ts'
import { SmallWrites } from '../../../src/store/small-writes.ts'
import { ManualClock } from '../../support/manual-clock.ts'

describe('small writes', () => {
  test('are done at once, larger ones are not', () => {
    const small = new SmallWrites(new ManualClock())
    expect(small.isAtOnce(16_384)).toBe(true)
    expect(small.isAtOnce(16_385)).toBe(false)
  })

  test('are not done at once while the file is synced, however the sync ends', async () => {
    const small = new SmallWrites(new ManualClock())
    const sync = deferred<void>()
    const synced = small.during(() => sync.promise)
    expect(small.isAtOnce(1)).toBe(false)
    const failed = small.during(() => Promise.reject(new Error('EIO')))
    await expect(failed).rejects.toThrow('EIO')
    expect(small.isAtOnce(1)).toBe(false)
    sync.resolve()
    await synced
    expect(small.isAtOnce(1)).toBe(true)
  })

  test('rest after one that took long', async () => {
    const clock = new ManualClock()
    const small = new SmallWrites(clock)
    const begun = clock.monotonicMs()
    // The manual clock moves while the write is under way: the system let it wait.
    expect(small.measured(() => clock.advance(5))).toBeUndefined()
    expect(clock.monotonicMs() - begun).toBe(5)
    expect(small.isAtOnce(1)).toBe(false)
    clock.advance(1_999)
    expect(small.isAtOnce(1)).toBe(false)
    clock.advance(1)
    expect(small.isAtOnce(1)).toBe(true)
  })

  test('that fail late rest, too', () => {
    const clock = new ManualClock()
    const small = new SmallWrites(clock)
    expect(() =>
      small.measured(() => {
        clock.advance(7)
        throw new Error('ENOSPC')
      }),
    ).toThrow('ENOSPC')
    expect(small.isAtOnce(1)).toBe(false)
  })
})
