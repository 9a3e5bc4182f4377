/** What a stored record costs by itself: encoding it where it will lie, and reading it back. */
import { decodeRecord, type RecordDraft, recordLength, writeRecord } from '../src/message/record.ts'
import type { MicroFigure } from './micro-figure.ts'

const ROUNDS = 100_000
const WARM_UPS = 2
const ARENA_BYTES = 64 * 1024

const host = { ip: Buffer.from([127, 0, 0, 1]), port: 10_911 }
const draft: RecordDraft = {
  topic: 'BenchmarkTest',
  queueId: 3,
  flag: 0,
  sysFlag: 0,
  bornTimestampMs: 1_700_000_000_000,
  bornHost: host,
  storeHost: host,
  reconsumeTimes: 0,
  preparedTransactionOffset: 0,
  body: Buffer.alloc(128, 'x'),
  properties: Buffer.from('UNIQ_KEY\u0001AC110001000118B4AAC2123456780000\u0002WAIT\u0001false\u0002'),
}

/** A record of 128 B, written over and over an arena, and read from it. */
export function benchRecord({ samples }: { readonly samples: number }): readonly MicroFigure[] {
  const arena = Buffer.alloc(ARENA_BYTES)
  const length = recordLength(draft)
  const places = Math.floor(arena.length / length)
  const stamp = { queueOffset: 123_456_789, offset: 9_876_543_210, storeTimestampMs: 1_700_000_000_001 }
  const write = (round: number): number => writeRecord(draft, arena, (round % places) * length, stamp)
  for (let place = 0; place < places; place++) write(place)
  return [
    { name: 'record: encode, 128 B', nanoseconds: measure(samples, write) },
    {
      name: 'record: decode, 128 B',
      nanoseconds: measure(samples, (round) => decodeRecord(arena, (round % places) * length).size),
    },
  ]
}

/** Nanoseconds of processor time for one `run`. */
function measure(samples: number, run: (round: number) => number): readonly number[] {
  let sum = 0
  const values = Array.from({ length: samples + WARM_UPS }, () => {
    const started = process.cpuUsage()
    for (let round = 0; round < ROUNDS; round++) sum += run(round)
    const { user, system } = process.cpuUsage(started)
    return ((user + system) * 1_000) / ROUNDS
  })
  if (sum === 0) throw new Error('a record has a length')
  return values.slice(WARM_UPS)
}
