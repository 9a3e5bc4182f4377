import { describe, expect, test } from 'vitest'
import { fc, test as property } from '@fast-check/vitest'
import { seededRandom } from '../../../src/lib/prng.ts'
import { DEFAULT_RETENTION_OPTIONS, RetentionClock, retentionOffset } from '../../../src/store/retention.ts'
import { FaultyFileSystem } from '../../support/faulty-file-system.ts'
import { closeNode, draftOf, openNode, readAll } from './log-support.ts'

async function turns(count = 100): Promise<void> {
  for (let i = 0; i < count; i++) await Promise.resolve()
}

describe('the scrub', () => {
  test('finds rot in cold segments by itself, at its pace, and leaves the growing one alone', async () => {
    const disk = new FaultyFileSystem()
    const node = await openNode(disk, { options: { scrubBytesPerSecond: 2000, scrubPauseMs: 1000 } })
    for (let index = 1; index <= 60; index++) node.log.append({ index, term: 1 }, draftOf(index, 150))
    await node.log.stable()
    const cold = node.log.segments().slice(0, -1)
    const last = node.log.segments().at(-1)
    disk.flip('data/commitlog/00000000000000000000', 700, 2)
    disk.flip(`data/commitlog/${String(last?.startOffset).padStart(20, '0')}`, 60, 2)
    const bytes = cold.reduce((sum, segment) => sum + segment.endOffset - segment.startOffset, 0)
    const steps = Math.ceil((bytes / 2000) * 10)
    for (let i = 0; i < steps / 2; i++) {
      node.clock.advance(100)
      await turns()
    }
    // Half of the time is not enough for all of it.
    expect(node.rot).toHaveLength(1)
    for (let i = 0; i < steps * 2; i++) {
      node.clock.advance(100)
      await turns()
    }
    expect(node.rot).toHaveLength(1)
    expect(node.log.badRanges()).toEqual(node.rot)
    expect(node.rot[0]?.offset).toBeLessThanOrEqual(700)
    expect(node.rot[0]?.end).toBeGreaterThan(700)
    await closeNode(node)
  })
})

describe('retention', () => {
  const hourMs = 3_600_000
  const segments = [1, 2, 3, 4].map((i) => ({ endOffset: i * 100, lastTimestampMs: i * hourMs }))
  const options = { ...DEFAULT_RETENTION_OPTIONS, reservedMs: 10 * hourMs }
  const input = { segments, nowMs: 12.5 * hourMs, hour: 4, diskUsedRatio: 0.5, coveredOffset: 1e9 }

  test('takes expired segments at the hour for it', () => {
    expect(retentionOffset(input, options)).toBe(200)
    expect(retentionOffset({ ...input, hour: 5 }, options)).toBeUndefined()
  })

  test('takes expired segments at any hour when the disk is filled', () => {
    expect(retentionOffset({ ...input, hour: 5, diskUsedRatio: 0.76 }, options)).toBe(200)
  })

  test('takes segments that are not expired only when it must', () => {
    expect(retentionOffset({ ...input, hour: 5, diskUsedRatio: 0.86 }, options)).toBe(300)
  })

  test('takes nothing beyond what is covered, and a bounded number at once', () => {
    expect(retentionOffset({ ...input, coveredOffset: 199 }, options)).toBe(100)
    expect(retentionOffset({ ...input, coveredOffset: 99 }, options)).toBeUndefined()
    expect(retentionOffset(input, { ...options, maxSegments: 1 })).toBe(100)
  })

  property.prop([fc.nat(1000), fc.nat(23), fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(500)])(
    'never takes the segment that grows, nor part of one',
    (hours, hour, diskUsedRatio, coveredOffset) => {
      const offset = retentionOffset({ segments, nowMs: hours * hourMs, hour, diskUsedRatio, coveredOffset }, options)
      expect([undefined, 100, 200, 300]).toContain(offset)
      if (offset !== undefined) expect(offset).toBeLessThanOrEqual(coveredOffset)
    },
  )

  test('sees no time in a clock that jumps forward, and follows one that jumps back', () => {
    const clock = new RetentionClock({ wallMs: 1000, monotonicMs: 0 })
    expect(clock.nowMs({ wallMs: 1100, monotonicMs: 100 })).toBe(1100)
    expect(clock.nowMs({ wallMs: 1_000_000, monotonicMs: 200 })).toBe(1200)
    expect(clock.nowMs({ wallMs: 500, monotonicMs: 300 })).toBe(500)
    expect(clock.nowMs({ wallMs: 2000, monotonicMs: 400 })).toBe(600)
  })
})

async function behind(): Promise<{ disk: FaultyFileSystem }> {
  const disk = new FaultyFileSystem()
  const node = await openNode(disk)
  for (let index = 1; index <= 40; index++) node.log.append({ index, term: 1 }, draftOf(index, 150))
  await closeNode(node)
  return { disk }
}

describe('a reset', () => {
  const start = { offset: 70_000, index: 500, term: 9, crc: 77, timestampMs: 1_700_000_000_500 }
  const membership = { index: 450, bytes: Buffer.from('voters') }

  test('replaces the log by an empty one that begins at the given place, and goes on from there', async () => {
    const { disk } = await behind()
    const node = await openNode(disk)
    await readAll(node.log)
    const steps: string[] = []
    await node.log.reset({
      start,
      membership,
      stage: async () => void steps.push('stage'),
      install: async () => void steps.push('install'),
    })
    expect(steps).toEqual(['stage', 'install'])
    expect(node.log.state()).toEqual({ start: { index: 500, term: 9 }, runs: [], memberships: [membership] })
    expect(node.log.read(1, 1, 1)).toBeUndefined()
    node.log.append({ index: 501, term: 9 }, draftOf(1))
    await node.log.stable()
    const frames = await readAll(node.log)
    disk.crash(seededRandom(1), 0)
    const again = await openNode(disk)
    expect(again.log.state()).toMatchObject({ start: { index: 500, term: 9 }, memberships: [membership] })
    expect(Buffer.concat(await readAll(again.log)).equals(Buffer.concat(frames))).toBe(true)
  })

  test('leaves, wherever it crashes, the whole old log or the whole new one', async () => {
    const outcomes = new Set<string>()
    for (let at = 0; at < 60; at++) {
      const { disk } = await behind()
      const node = await openNode(disk)
      // What the derived side keeps: staged beside, then put in place; both may be done again.
      let staged = false
      let installed = false
      disk.crashAfter(at)
      const reset = node.log.reset({
        start,
        membership,
        stage: async () => void (staged = true),
        install: async () => void (installed = true),
      })
      let isDone = false
      await Promise.race([reset.then(() => (isDone = true)), disk.whenDown])
      disk.crash(seededRandom(at))
      let installedAgain = false
      const again = await openNode(disk, { installReset: async () => void (installedAgain = true) })
      const { index } = again.log.start
      outcomes.add(`${index} ${installedAgain}`)
      if (index === 0) {
        expect(isDone).toBe(false)
        expect(installed).toBe(false)
        expect(await readAll(again.log)).toHaveLength(40)
      } else {
        expect(staged).toBe(true)
        expect(installed || installedAgain).toBe(true)
        expect(again.log.state()).toEqual({ start: { index: 500, term: 9 }, runs: [], memberships: [membership] })
      }
      again.log.append({ index: again.log.end.index + 1, term: 10 }, draftOf(1))
      await again.log.stable()
      expect((await readAll(again.log)).length).toBe(index === 0 ? 41 : 1)
    }
    expect([...outcomes].sort()).toEqual(['0 false', '500 false', '500 true'])
  })
})
