import { expect, test } from 'vitest'
import { seededRandom } from '../../src/lib/prng.ts'
import { encodeOffsetMessageId } from '../../src/message/message-id.ts'
import { bodyOf } from '../../sim/node/bodies.ts'
import { Copies } from '../../sim/node/copies.ts'
import { Disk } from '../../sim/node/disk.ts'
import { Inode } from '../../sim/node/inode.ts'
import { ModeWatch } from '../../sim/node/mode-watch.ts'
import type { Modes } from '../../sim/node/node-options.ts'
import { WriteLog } from '../../sim/node/write-log.ts'
import { Counts } from '../../sim/world/counts.ts'
import { Scheduler } from '../../sim/world/scheduler.ts'

const SEGMENT = '/store/commitlog/00000000000000000000'
const HEAD = Buffer.alloc(88)
const ID = 'm1x200'
/** Of a record. */
const BYTES = 288
const bounds = { maxUnflushedBytes: 1000, maxUnflushedMs: 200 }

/** Three machines, and a message of which each of `copies` is told. */
function group(modes: Modes) {
  const scheduler = new Scheduler()
  const machines = [0, 1, 2].map(() => ({ writes: new WriteLog(() => scheduler.nowMs, bounds) }))
  const watch = new ModeWatch(modes)
  const copies = new Copies({ scheduler, modes: watch, machines: () => machines, voters: 3 })
  const [first, second] = machines.map(({ writes }) => writes)
  if (first === undefined || second === undefined) throw new Error('there are three')
  const pass = (ms: number): void => {
    scheduler.at(scheduler.nowMs + ms, () => {})
    scheduler.step(Infinity)
  }
  /** Of a send that began just now, or earlier, of the message whose record lies at `offset`. */
  const acknowledge = ({ begun = copies.began(ID), offset = 0 } = {}) => {
    const offsetMessageId = encodeOffsetMessageId({ ip: Uint8Array.of(10, 0, 0, 1), port: 1 }, offset)
    return () => copies.acknowledged(begun, { offsetMessageId })
  }
  return { pass, first, second, copies, watch, acknowledge }
}

const write = (log: WriteLog, position = 0, id = ID) => log.wrote(SEGMENT, position, Buffer.concat([HEAD, bodyOf(id)]))
const syncFlush = { flush: 'sync', replication: 'sync' } as const
const asyncFlush = { flush: 'async', replication: 'sync' } as const

test('in sync flush a majority holds it durably', () => {
  const { first, second, acknowledge } = group(syncFlush)
  write(first).settle()
  const late = write(second)
  expect(acknowledge()).toThrow('held: m1x200 is acknowledged, 2 must hold it durably, and 1 do')
  late.settle()
  expect(acknowledge()).not.toThrow()
})

test('in async replication, and for a message that does not wait, one is enough', () => {
  const { first, acknowledge } = group({ flush: 'sync', replication: 'async' })
  write(first).settle()
  expect(acknowledge()).not.toThrow()
  const unwaited = group(syncFlush)
  write(unwaited.first).settle()
  expect(unwaited.acknowledge({ begun: unwaited.copies.began(ID, { waits: false }) })).not.toThrow()
})

test('in async flush it is held once it is written, while nothing unsynced is older than the bound', () => {
  const { first, second, pass, acknowledge } = group(asyncFlush)
  for (const log of [first, second]) write(log, 0, 'm0x200')
  const syncs = [first, second].map((log) => log.syncing(SEGMENT))
  pass(150)
  for (const log of [first, second]) write(log, BYTES)
  // However long the answer takes.
  pass(1000)
  expect(acknowledge({ offset: BYTES })).not.toThrow()
  for (const log of [first, second]) write(log, 2 * BYTES, 'm2x200')
  const behind = acknowledge({ begun: { id: 'm2x200', modes: undefined, waits: true }, offset: 2 * BYTES })
  expect(behind).toThrow('1 must hold it within the bounds of async flush, and 0 do')
  for (const { settle } of syncs) settle()
  // What was written at 150 is too old by now.
  expect(behind).toThrow('and 0 do')
  first.syncing(SEGMENT).settle()
  expect(behind).not.toThrow()
})

test('in async flush it is held while no more than the bound is unsynced', () => {
  const { first, second, acknowledge } = group(asyncFlush)
  for (const log of [first, second]) for (let at = 0; at < 3; at++) write(log, at * BYTES, `m${at + 10}x200`)
  for (const log of [first, second]) write(log, 3 * BYTES)
  expect(acknowledge({ offset: 3 * BYTES })).toThrow('and 0 do')
  for (const log of [first, second]) log.syncing(SEGMENT).settle()
  expect(acknowledge({ offset: 3 * BYTES })).not.toThrow()
})

test('while the mode may be another one the weakest counts', () => {
  const { first, watch, copies, acknowledge } = group(syncFlush)
  const begun = copies.began(ID)
  watch.began(asyncFlush)(true)
  expect(acknowledge({ begun })).toThrow('1 must hold it within the bounds')
  write(first)
  expect(acknowledge({ begun })).not.toThrow()
})

test('of what was unsynced when the power failed counts what the disk kept of it', () => {
  const { first, second, acknowledge } = group(syncFlush)
  const disk = new Disk(seededRandom(1), new Counts())
  const inode = new Inode()
  disk.change({ kind: 'create', path: SEGMENT, inode })
  write(second).settle()
  const bytes = Buffer.concat([HEAD, bodyOf(ID)])
  inode.write(0, bytes.subarray(0, BYTES - 1))
  write(first)
  first.powerLost(disk)
  expect(acknowledge()).toThrow('and 1 do')
  inode.write(0, bytes)
  write(first)
  first.powerLost(disk)
  expect(acknowledge()).not.toThrow()
})

test('what is cut off is waited for no more, and what takes its place is held by itself', () => {
  const { first, second, pass, acknowledge } = group(asyncFlush)
  for (const log of [first, second]) write(log, 0, 'm0x200')
  pass(300)
  for (const log of [first, second]) {
    log.cut(SEGMENT, 0)
    write(log)
  }
  expect(acknowledge()).not.toThrow()
})
