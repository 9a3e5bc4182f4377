import { frameCrc, frameIndex, frameLength, frameOffset, frameTerm, frameTimestampMs } from '../message/entry-frame.ts'

/** A place between two frames: `offset` is where the next one begins, the rest speaks of the one before. */
export interface LogPosition {
  readonly offset: number
  readonly index: number
  readonly term: number
  readonly crc: number
  readonly timestampMs: number
}

/** Before the first frame of a log that starts at its beginning. */
export const LOG_ORIGIN: LogPosition = { offset: 0, index: 0, term: 0, crc: 0, timestampMs: 0 }

/** The place behind the sound frame at `at`. */
export function positionAfter(frame: Buffer, at: number): LogPosition {
  return {
    offset: frameOffset(frame, at) + frameLength(frame, at),
    index: frameIndex(frame, at),
    term: frameTerm(frame, at),
    crc: frameCrc(frame, at),
    timestampMs: frameTimestampMs(frame, at),
  }
}

/** `value` from a checksummed file, if it is a position. */
export function asPosition(value: unknown): LogPosition | undefined {
  if (!Array.isArray(value)) return undefined
  const numbers: number[] = []
  for (const field of value) {
    if (typeof field !== 'number' || !Number.isSafeInteger(field) || field < 0) return undefined
    numbers.push(field)
  }
  const [offset, index, term, crc, timestampMs] = numbers
  if (numbers.length !== 5 || offset === undefined || index === undefined || term === undefined) return undefined
  if (crc === undefined || timestampMs === undefined) return undefined
  return { offset, index, term, crc, timestampMs }
}

/** The form in which a position is kept in JSON. */
export function positionFields(position: LogPosition): readonly number[] {
  return [position.offset, position.index, position.term, position.crc, position.timestampMs]
}
