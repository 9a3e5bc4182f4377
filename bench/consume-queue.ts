/**
 * Consume queues: dispatching committed records into queues and key index, and putting pull responses together, all in
 * memory.
 */
import { systemClock } from '../src/lib/clock.ts'
import { silentLog } from '../src/lib/log.ts'
import { entryLength, frameOffset, writeEntry } from '../src/message/entry-frame.ts'
import { encodeProperties } from '../src/message/properties.ts'
import type { RecordDraft } from '../src/message/record.ts'
import type { LogSource } from '../src/store/log-source.ts'
import { MessageStore } from '../src/store/message-store.ts'
import { nodeFileSystem } from '../src/store/node-file-system.ts'

const RECORDS_PER_ENTRY = 64

export interface ConsumeQueueResult {
  readonly queues: number
  readonly records: number
  readonly dispatchesPerSecond: number
  readonly pulledPerSecond: number
  readonly checkpointMs: number
}

/** Dispatches `entries` entries of 64 records over `queues` queues of one topic, then pulls all of them, 32 at a time. */
export async function benchConsumeQueue(needs: {
  folder: string
  queues: number
  entries: number
}): Promise<ConsumeQueueResult> {
  const { folder, queues, entries } = needs
  const frames = makeFrames(queues, entries)
  const store = await MessageStore.open({
    fileSystem: nodeFileSystem,
    folder,
    log: logOf(frames),
    clock: systemClock,
    logger: silentLog,
    options: { checkpointBytes: Infinity, dirtyBytes: 1e9, checkpointPeriodMs: 1e9 },
    fatal: (error) => {
      throw error
    },
  })
  const records = entries * RECORDS_PER_ENTRY
  const dispatchMs = await timed(() => {
    let at = 0
    for (const frame of frames) {
      store.apply(frame)
      if (++at % 16 === 0) store.takeTouched()
    }
  })
  let pulled = 0
  const pullMs = await timed(async () => {
    for (let queueId = 0; queueId < queues; queueId++) pulled += await drain(store, queueId)
  })
  if (pulled !== records) throw new Error(`pulled ${pulled} of ${records}`)
  const checkpointMs = await timed(() => store.checkpoint())
  await store.close()
  return {
    queues,
    records,
    dispatchesPerSecond: Math.round((records / dispatchMs) * 1000),
    pulledPerSecond: Math.round((pulled / pullMs) * 1000),
    checkpointMs: Math.round(checkpointMs),
  }
}

async function drain(store: MessageStore, queueId: number): Promise<number> {
  let queueOffset = 0
  let pulled = 0
  for (;;) {
    const found = store.pull({ topic: 'BenchmarkTest', queueId, queueOffset, maxCount: 32, maxBytes: 256 * 1024 })
    const result = found instanceof Promise ? await found : found
    if (result.status !== 'found') return pulled
    pulled += result.count
    queueOffset = result.nextQueueOffset
  }
}

function makeFrames(queues: number, entries: number): Buffer[] {
  const ip = new Uint8Array([127, 0, 0, 1])
  const next = Array.from({ length: queues }, () => 0)
  const frames: Buffer[] = []
  let offset = 0
  let count = 0
  for (let index = 1; index <= entries; index++) {
    const records: RecordDraft[] = []
    const queueOffsets: number[] = []
    for (let i = 0; i < RECORDS_PER_ENTRY; i++) {
      const queueId = count % queues
      const uniqueKey = (count++).toString(16).toUpperCase().padStart(32, '0')
      queueOffsets.push(next[queueId] ?? 0)
      next[queueId] = (next[queueId] ?? 0) + 1
      records.push({
        topic: 'BenchmarkTest',
        queueId,
        flag: 0,
        sysFlag: 0,
        bornTimestampMs: 0,
        bornHost: { ip, port: 1 },
        storeHost: { ip, port: 2 },
        reconsumeTimes: 0,
        preparedTransactionOffset: 0,
        body: Buffer.alloc(128),
        properties: encodeProperties([
          ['UNIQ_KEY', uniqueKey],
          ['WAIT', 'true'],
          ['TAGS', 'TagA'],
        ]),
      })
    }
    const entry = { records, queueOffsets, command: undefined }
    const frame = Buffer.allocUnsafeSlow(entryLength(entry))
    writeEntry(entry, frame, 0, frame.length, {
      index,
      term: 1,
      offset,
      timestampMs: index,
      previousCrc: 0,
      endsSegment: false,
    })
    frames.push(frame)
    offset += frame.length
  }
  return frames
}

function logOf(frames: readonly Buffer[]): LogSource {
  const frameInMemory = (offset: number): Buffer | undefined => {
    let low = 0
    let high = frames.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      const frame = frames[middle]
      if (frame !== undefined && frameOffset(frame, 0) <= offset) low = middle
      else high = middle - 1
    }
    return frames[low]
  }
  return {
    startOffset: 0,
    startIndex: 0,
    endOffset: frames.reduce((sum, frame) => sum + frame.length, 0),
    frameInMemory,
    frameAt: (offset) => Promise.resolve(frameInMemory(offset)),
    flushedThrough: () => Promise.resolve(),
  }
}

async function timed(work: () => unknown): Promise<number> {
  const startMs = systemClock.monotonicMs()
  await work()
  return systemClock.monotonicMs() - startMs
}
