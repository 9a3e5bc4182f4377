import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fc, test } from '@fast-check/vitest'
import { afterEach, describe, expect } from 'vitest'
import { seededRandom } from '../../../src/lib/prng.ts'
import { silentLog } from '../../../src/lib/log.ts'
import { encodeProperties } from '../../../src/message/properties.ts'
import { openLevelDatabase } from '../../../src/store/level-database.ts'
import { MessageStore } from '../../../src/store/message-store.ts'
import { TimerIndex, type PendingTimer } from '../../../src/store/timer-index.ts'
import { draft } from '../../message/drafts.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { CrashDisk } from './crash-disk.ts'
import { MemoryLog } from './memory-log.ts'

const folders: string[] = []
async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'timers-'))
  folders.push(folder)
  return folder
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('add'), at: fc.nat(50) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('remove'), at: fc.nat(1000) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('write'), at: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cutOnly'), at: fc.nat(1) }) },
)

const byDue = (a: PendingTimer, b: PendingTimer): number => a.dueMs - b.dueMs || a.offset - b.offset

describe('the index of timers', () => {
  test.prop([fc.array(step, { maxLength: 60 })], { numRuns: 40 })(
    'lists what waits, in order, whatever is in memory, being written, or on disk',
    async (steps) => {
      const index = await TimerIndex.open(await temporary(), openLevelDatabase)
      const model = new Map<number, number>()
      let offset = 0
      for (const [entry, { do: what, at }] of steps.entries()) {
        if (what === 'add') {
          offset += 100
          model.set(offset, at)
          index.add(at, offset)
        } else if (what === 'remove') {
          const [chosen] = [...model].slice(at % Math.max(1, model.size))
          if (chosen === undefined) continue
          model.delete(chosen[0])
          index.remove(chosen[1], chosen[0])
        } else if (what === 'write') await index.cut(entry)()
        else index.cut(entry)
        const all = [...model].map(([of, dueMs]) => ({ dueMs, offset: of }))
        expect(await index.due(25, 1000)).toEqual(all.filter(({ dueMs }) => dueMs <= 25).toSorted(byDue))
        expect(await index.due(100, 3)).toEqual(all.toSorted(byDue).slice(0, 3))
        expect(await index.at(7, 9)).toEqual(
          all
            .filter(({ dueMs }) => dueMs === 7)
            .toSorted(byDue)
            .slice(0, 9),
        )
        const early = all.filter((timer) => timer.offset < 900).toSorted((a, b) => a.offset - b.offset)
        expect(await index.before(900, 4)).toEqual(early.slice(0, 4))
        await index.findEarliest()
        expect(index.earliestMs).toBe(Math.min(Infinity, ...model.values()))
      }
      await index.close()
    },
  )

  test('tells who reads, waits and then acts what was removed meanwhile', async () => {
    const index = await TimerIndex.open(await temporary(), openLevelDatabase)
    index.add(1, 100)
    const watch = index.watch()
    expect(await index.due(5, 10)).toHaveLength(1)
    index.remove(1, 100)
    expect(watch.has(100)).toBe(true)
    watch.end()
    index.remove(1, 200)
    expect(watch.has(200)).toBe(false)
    await index.close()
  })
})

const timerAt = (dueMs: number) =>
  draft({ topic: 'rmq_sys_wheel_timer', properties: encodeProperties([['TIMER_OUT_MS', String(dueMs)]]) })

function openStore(log: MemoryLog, disk: CrashDisk, timers: TimerIndex): Promise<MessageStore> {
  const options = { checkpointBytes: 1e9, dirtyBytes: 1e9 }
  const needs = { fileSystem: disk, folder: '/derived', log, clock: new ManualClock(), logger: silentLog, options }
  return MessageStore.open({ ...needs, timers, fatal: (error) => expect(error).toBeUndefined() })
}

function replay(log: MemoryLog, store: MessageStore): void {
  for (let index = store.appliedIndex + 1; index <= log.lastIndex; index++) {
    const frame = log.frame(index)
    if (frame !== undefined) store.apply(frame)
  }
}

describe('the message store', () => {
  test('finds what waits again after a crash, after a stop, and when the index is gone', async () => {
    const log = new MemoryLog()
    const disk = new CrashDisk()
    const folder = await temporary()
    let timers = await TimerIndex.open(folder, openLevelDatabase)
    let store = await openStore(log, disk, timers)
    for (const [at, dueMs] of [30, 10, 20].entries()) log.append([timerAt(dueMs)], [at])
    replay(log, store)
    await store.checkpoint()
    log.append([timerAt(5)], [3])
    replay(log, store)
    const due = async (): Promise<number[]> => (await timers.due(100, 10)).map(({ dueMs }) => dueMs)
    expect(await due()).toEqual([5, 10, 20, 30])

    disk.crash(seededRandom(1))
    await store.abandon()
    await timers.close()
    timers = await TimerIndex.open(folder, openLevelDatabase)
    expect(await due()).toEqual([10, 20, 30])
    store = await openStore(log, disk, timers)
    replay(log, store)
    expect(await due()).toEqual([5, 10, 20, 30])

    await store.close()
    await timers.close()
    timers = await TimerIndex.open(folder, openLevelDatabase)
    expect(await due()).toEqual([5, 10, 20, 30])
    await timers.close()

    timers = await TimerIndex.open(await temporary(), openLevelDatabase)
    store = await openStore(log, disk, timers)
    expect(store.appliedIndex).toBe(0)
    replay(log, store)
    expect(await due()).toEqual([5, 10, 20, 30])
    await store.close()
    await timers.close()
  })
})
