import { fc, it } from '@fast-check/vitest'
import { describe, expect, test } from 'vitest'
import { errorCode } from '../../src/lib/errors.ts'
import { FRAME_MAX_BYTES, FrameSplitter } from '../../src/remoting/frame.ts'

const payloads = fc.array(fc.uint8Array({ minLength: 4, maxLength: 300 }), { maxLength: 20 })
const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 50 })

function framed(payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(4 + payload.length)
  frame.writeUInt32BE(payload.length)
  frame.set(payload, 4)
  return frame
}

/** `bytes` in pieces of the given lengths, over and over; the pieces are copies, as those of a socket are. */
function chunksOf(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const end = at + (lengths[i % lengths.length] ?? bytes.length)
    chunks.push(Buffer.from(bytes.subarray(at, end)))
    at = end
  }
  return chunks
}

function collector(maxBytes = FRAME_MAX_BYTES): { readonly splitter: FrameSplitter; readonly frames: Buffer[] } {
  const frames: Buffer[] = []
  const onFrame = (bytes: Buffer, start: number, end: number): boolean => frames.push(bytes.subarray(start, end)) > 0
  return { splitter: new FrameSplitter({ maxBytes, onFrame }), frames }
}

describe('a stream of frames', () => {
  it.prop([payloads, cuts])('gives the same frames however it is cut into chunks', (list, lengths) => {
    const { splitter, frames } = collector()
    for (const chunk of chunksOf(Buffer.concat(list.map(framed)), lengths)) splitter.push(chunk)
    expect(frames.map((frame) => frame.toString('hex'))).toEqual(list.map((one) => Buffer.from(one).toString('hex')))
    expect(splitter.assemblyBytes).toBe(0)
  })

  test('is not copied where a frame lies in one chunk', () => {
    const { splitter, frames } = collector()
    const chunk = framed(Buffer.from('abcdef'))
    splitter.push(chunk)
    chunk.write('X', 4)
    expect(frames.map(String)).toEqual(['Xbcdef'])
  })

  test('keeps what a frame that spans chunks was, whatever becomes of the chunks', () => {
    const { splitter, frames } = collector()
    const bytes = Buffer.concat([framed(Buffer.from('abcdef')), framed(Buffer.from('ghijkl'))])
    for (const chunk of chunksOf(bytes, [7])) {
      splitter.push(chunk)
      chunk.fill(0)
    }
    expect(frames.map(String)).toEqual(['abcdef', 'ghijkl'])
  })

  test('is dropped from the frame on whose taker says stop', () => {
    const frames: string[] = []
    const splitter = new FrameSplitter({
      maxBytes: 100,
      onFrame: (bytes, start, end) => frames.push(bytes.toString('latin1', start, end)) < 2,
    })
    const bytes = Buffer.concat(['aaaa', 'bbbb', 'cccc'].map((text) => framed(Buffer.from(text))))
    splitter.push(bytes)
    splitter.push(bytes)
    expect(frames).toEqual(['aaaa', 'bbbb'])
  })
})

describe('a length that lies', () => {
  test.for([
    [FRAME_MAX_BYTES - 3, 'REMOTING_FRAME_TOO_LARGE'],
    [0x7fffffff, 'REMOTING_FRAME_TOO_LARGE'],
    [0xffffffff, 'REMOTING_FRAME_TOO_LARGE'],
    [0x16030100, 'REMOTING_FRAME_TOO_LARGE'],
    [0, 'REMOTING_FRAME_MALFORMED'],
    [3, 'REMOTING_FRAME_MALFORMED'],
  ] as const)('of %i bytes ends the stream with %s, in one chunk and byte by byte', ([length, code]) => {
    const bytes = Buffer.alloc(8)
    bytes.writeUInt32BE(length)
    for (const size of [8, 1]) {
      const { splitter, frames } = collector()
      const thrown = chunksOf(bytes, [size]).map((chunk) => attempt(() => splitter.push(chunk)))
      expect(thrown.filter((error) => error !== undefined).map(errorCode)).toEqual([code])
      splitter.push(framed(Buffer.from('more')))
      expect(frames).toEqual([])
      expect(splitter.assemblyBytes).toBe(0)
    }
  })

  test('costs no memory beyond twice what was sent', () => {
    const { splitter, frames } = collector()
    const start = Buffer.alloc(4)
    start.writeUInt32BE(FRAME_MAX_BYTES - 4)
    splitter.push(start)
    for (let sent = 4; sent < 100_000; sent++) {
      splitter.push(Buffer.from([7]))
      if (splitter.assemblyBytes > 2 * sent + 1024) throw new Error(`${splitter.assemblyBytes} for ${sent}`)
    }
    expect(frames).toEqual([])
  })

  test('of which half has come is put together in what it has, and no more', () => {
    const { splitter, frames } = collector()
    const bytes = framed(Buffer.alloc(130_000, 1))
    splitter.push(bytes.subarray(0, 65_536))
    splitter.push(bytes.subarray(65_536, 130_000))
    expect(splitter.assemblyBytes).toBe(bytes.length)
    splitter.push(bytes.subarray(130_000))
    expect(frames.map((frame) => frame.buffer.byteLength)).toEqual([bytes.length])
  })

  test('is none at the limit', () => {
    const { splitter, frames } = collector()
    const bytes = framed(Buffer.alloc(FRAME_MAX_BYTES - 4, 1))
    for (const chunk of chunksOf(bytes, [65_536])) splitter.push(chunk)
    expect(frames.map((frame) => frame.length)).toEqual([FRAME_MAX_BYTES - 4])
  })
})

/** The stupid way: everything joined first. Gives the frames, and the code of the error that ends the stream. */
function model(bytes: Buffer, maxBytes: number): { readonly frames: string[]; readonly error: string | undefined } {
  const frames: string[] = []
  for (let at = 0; bytes.length - at >= 4; ) {
    const length = bytes.readUInt32BE(at)
    if (length < 4) return { frames, error: 'REMOTING_FRAME_MALFORMED' }
    if (length + 4 > maxBytes) return { frames, error: 'REMOTING_FRAME_TOO_LARGE' }
    if (bytes.length - at < length + 4) break
    frames.push(bytes.toString('hex', at + 4, at + 4 + length))
    at += length + 4
  }
  return { frames, error: undefined }
}

/** Bytes that are often nearly frames: lengths around every limit, with anything behind them. */
const nearlyFrames = fc
  .array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 70 }), fc.constantFrom(59, 60, 61, 0x7fffffff, 0x80000000, 0xffffffff)),
      fc.uint8Array({ maxLength: 70 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) =>
    Buffer.concat(
      parts.flatMap(([length, rest]) => {
        const word = Buffer.alloc(4)
        word.writeUInt32BE(length)
        return [word, rest.subarray(0, Math.max(length, 1))]
      }),
    ),
  )

describe('the splitter under fuzzing', () => {
  it.prop(
    [
      fc.oneof(
        nearlyFrames,
        fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
      ),
      cuts,
    ],
    {
      numRuns: 3000,
    },
  )('finds what the naive model finds, and throws nothing but its two errors', (bytes, lengths) => {
    const { splitter, frames } = collector(64)
    let error: string | undefined
    for (const chunk of chunksOf(bytes, lengths)) {
      const thrown = attempt(() => splitter.push(chunk))
      if (thrown !== undefined) error ??= errorCode(thrown) ?? 'foreign'
    }
    expect({ frames: frames.map((frame) => frame.toString('hex')), error }).toEqual(model(bytes, 64))
  })
})

function attempt(run: () => void): unknown {
  try {
    run()
    return undefined
  } catch (error) {
    return error
  }
}
