/** What really lies on the disks: the CommitLogs of stopped nodes, read frame by frame. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { queueKey } from '../src/client/core/message-queue.ts'
import type { HistoryEvent } from '../src/load/history.ts'
import { parseWorkloadBody } from '../src/load/workload.ts'
import {
  frameCrc,
  frameEndsSegment,
  frameFault,
  frameIndex,
  frameLength,
  frameRecordsStart,
} from '../src/message/entry-frame.ts'
import { decodeRecord, recordSize } from '../src/message/record.ts'

export interface ReplicaLog {
  /** The node's id. */
  readonly id: string
  readonly broker: string
  /** Its folder, as `raftmq up` lays it out. */
  readonly dir: string
}

/** Calls `onFrame` for each sound frame of the log, in order, until the first that is not. */
export function readFrames(log: ReplicaLog, onFrame: (buffer: Buffer, at: number) => void): void {
  const folder = join(log.dir, 'store', 'commitlog')
  const segments = readdirSync(folder)
    .filter((name) => /^\d+$/.test(name))
    .sort()
  for (const name of segments) {
    const buffer = readFileSync(join(folder, name))
    let at = 0
    let isAtEnd = false
    while (!isAtEnd && at < buffer.length && frameFault(buffer, at, buffer.length) === undefined) {
      onFrame(buffer, at)
      isAtEnd = frameEndsSegment(buffer, at)
      at += frameLength(buffer, at)
    }
    if (!isAtEnd) return
  }
}

/** The workload's messages in a log, as a reader named after the node received them. */
export function receivedBy(log: ReplicaLog, run: string): readonly HistoryEvent[] {
  const events: HistoryEvent[] = []
  readFrames(log, (buffer, at) => {
    const end = at + frameLength(buffer, at)
    for (let record = frameRecordsStart(buffer, at); record < end; record += recordSize(buffer, record)) {
      const { topic, queueId, queueOffset, body } = decodeRecord(buffer, record)
      const name = parseWorkloadBody(run, Buffer.from(body))
      if (name === undefined) continue
      const queue = queueKey({ topic, brokerName: log.broker, queueId })
      events.push({ type: 'received', atMs: 0, reader: `the log of ${log.id}`, queue, queueOffset, ...name })
    }
  })
  return events
}

/**
 * Where replicas differ: entries that two logs both have, with different bytes. A frame's checksum covers all of it and
 * the checksum of the frame before, so equal checksums at one index are equal logs up to it.
 */
export function differences(logs: readonly ReplicaLog[]): readonly string[] {
  const sums = logs.map((log) => {
    const byIndex = new Map<number, number>()
    readFrames(log, (buffer, at) => byIndex.set(frameIndex(buffer, at), frameCrc(buffer, at)))
    return { id: log.id, byIndex }
  })
  const [first, ...others] = sums
  return others.flatMap(({ id, byIndex }) => {
    const differing = [...byIndex].filter(([index, crc]) => (first?.byIndex.get(index) ?? crc) !== crc)
    return differing.length === 0
      ? []
      : [`${first?.id} and ${id} differ in ${differing.length} entries, first ${differing[0]?.[0]}`]
  })
}
