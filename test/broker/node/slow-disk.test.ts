import { describe, expect, test } from 'vitest'
import { SlowDisk } from '../../../src/broker/group/slow-disk.ts'

const options = { limitMs: 500, forMs: 2000 }

/** Syncs back to back until `untilMs`, each as long as `tookMs` says; returns when it was first found too slow. */
function run(disk: SlowDisk, tookMs: (at: number) => number, untilMs: number): number | undefined {
  let nowMs = 0
  for (let at = 0; nowMs < untilMs; at++) {
    disk.began(nowMs)
    const endMs = nowMs + tookMs(at)
    for (; nowMs < endMs; nowMs = Math.min(endMs, nowMs + 100)) if (disk.isTooSlow(nowMs)) return nowMs
    disk.ended(nowMs)
    if (disk.isTooSlow(nowMs)) return nowMs
  }
  return undefined
}

describe('a slow disk', () => {
  test('is found two seconds after its syncs became slow', () => {
    const foundMs = run(new SlowDisk(options), (at) => (at < 100 ? 2 : 600), 10_000)
    expect(foundMs).toBeGreaterThanOrEqual(2_200)
    expect(foundMs).toBeLessThanOrEqual(2_900)
  })

  test('that does not answer at all is found as soon', () => {
    const disk = new SlowDisk(options)
    disk.began(0)
    expect([400, 600].map((at) => disk.isSlow(at))).toEqual([false, true])
    expect(disk.isTooSlow(1_900)).toBe(false)
    expect(disk.isTooSlow(2_000)).toBe(true)
  })

  test('with one slow sync in hundreds is none', () => {
    expect(run(new SlowDisk(options), (at) => (at % 300 === 299 ? 600 : 5), 20_000)).toBeUndefined()
  })

  test('that is just below the limit is none', () => {
    expect(run(new SlowDisk(options), () => 500, 20_000)).toBeUndefined()
  })

  test('that recovers before the time is over is none, and the time begins again', () => {
    const disk = new SlowDisk(options)
    const foundMs = run(disk, (at) => (at < 2 || at >= 1_000 ? 600 : 3), 20_000)
    // 2 slow ones (1.2 s), about 3 s of fast ones, then slow again.
    expect(foundMs).toBeGreaterThanOrEqual(1_200 + 2_994 + 2_000)
  })
})
