import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { differences, receivedBy, type ReplicaLog } from '../../chaos/replica-logs.ts'
import { checkHistory } from '../../src/load/checkers.ts'
import type { HistoryEvent } from '../../src/load/history.ts'
import { workloadBody } from '../../src/load/workload.ts'
import { draft } from '../message/drafts.ts'
import { entryLength, frameCrc, writeEntry, type EntryDraft } from '../../src/message/entry-frame.ts'

const RUN = 'run'
let dir = ''

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'raftmq-test-'))
})

afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** The log of a node with one entry for each of `sequences`, all in queue 0, over two segments. */
function writeLog(id: string, sequences: readonly number[]): ReplicaLog {
  const folder = join(dir, id, 'store', 'commitlog')
  mkdirSync(folder, { recursive: true })
  let [offset, previousCrc, start] = [0, 0, 0]
  let frames: Buffer[] = []
  for (const [at, sequence] of sequences.entries()) {
    const entry = entryOf(sequence, at)
    const length = entryLength(entry)
    const frame = Buffer.alloc(length)
    const endsSegment = at === 1
    const place = { index: at + 1, term: 1, offset, timestampMs: 1, previousCrc, endsSegment }
    writeEntry(entry, frame, 0, length, place)
    previousCrc = frameCrc(frame, 0)
    frames.push(frame)
    offset += length
    if (endsSegment || at === sequences.length - 1) {
      writeFileSync(join(folder, String(start).padStart(20, '0')), Buffer.concat([...frames, Buffer.alloc(100)]))
      frames = []
      start = offset
    }
  }
  return { id, broker: 'broker-a', dir: join(dir, id) }
}

function entryOf(sequence: number, queueOffset: number): EntryDraft {
  const record = draft({ topic: 'chaos', queueId: 0, body: workloadBody(RUN, { producer: 0, sequence }, 32) })
  return { records: [record], queueOffsets: [queueOffset], command: undefined }
}

const acknowledged = (sequence: number, queueOffset: number): readonly HistoryEvent[] => [
  { type: 'sent', atMs: 0, producer: 0, sequence },
  { type: 'acknowledged', atMs: 1, producer: 0, sequence, queue: 'chaos@broker-a@0', queueOffset, mayBeTwice: false },
]

const history = [7, 8, 9].flatMap((sequence, at) => acknowledged(sequence, at))
const complete = { isOrdered: () => false, isComplete: true }

test('a log on disk is read to its end, segment by segment, as what a reader received', async () => {
  const events = receivedBy(writeLog('n0', [7, 8, 9]), RUN)
  expect(
    events.map((event) => (event.type === 'received' ? [event.reader, event.sequence, event.queueOffset] : [])),
  ).toEqual([
    ['the log of n0', 7, 0],
    ['the log of n0', 8, 1],
    ['the log of n0', 9, 2],
  ])
  expect((await checkHistory([...history, ...events], complete)).findings).toEqual([])
})

test('an acknowledged message that one log lacks is found lost', async () => {
  const logs = [writeLog('n0', [7, 8, 9]), writeLog('n1', [7, 8])]
  const report = await checkHistory([...history, ...logs.flatMap((log) => receivedBy(log, RUN))], complete)
  expect(report.counts.lost).toBe(1)
  expect(differences(logs)).toEqual([])
})

test('logs with other bytes under the same index are found to differ', () => {
  const logs = [writeLog('n0', [7, 8, 9]), writeLog('n1', [7, 8, 9]), writeLog('n2', [7, 5, 9])]
  expect(differences(logs.slice(0, 2))).toEqual([])
  expect(differences(logs)).toEqual(['n0 and n2 differ in 2 entries, first 2'])
})
