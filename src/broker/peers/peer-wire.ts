/**
 * Frames between the nodes of a group (RocketMQ prescribes no format here).
 *
 *   4          1      2            metaLength      rest
 *   +----------+------+------------+---------------+---------------------+
 *   | length   | kind | metaLength | meta (msgpack)| payload, opaque     |
 *   +----------+------+------------+---------------+---------------------+
 *   length counts everything after itself; integers are big-endian.
 *
 * The payload of a Raft append is whole log frames, each with its own checksum; it is never copied to be sent.
 */
import { pack, unpack } from 'msgpackr'
import { uncountedMemory } from '../../lib/uncounted-memory.ts'
import { peerErrors } from './peer-errors.ts'

/** Version of this framing and of the log's frames; nodes that differ do not talk. */
export const PEER_FORMAT_VERSION = 1
/** Highest version of table commands that this build understands (see `docs/architecture.md`, Versions). */
export const COMMAND_VERSION = 2

export const PeerFrameKind = { hello: 1, welcome: 2, raft: 3, request: 4, response: 5, oneway: 6, refusal: 7 } as const
export type PeerFrameKind = (typeof PeerFrameKind)[keyof typeof PeerFrameKind]

export interface PeerFrame {
  readonly kind: PeerFrameKind
  readonly meta: unknown
  readonly payload: Buffer
}

const HEAD_BYTES = 7
const kinds: ReadonlySet<number> = new Set(Object.values(PeerFrameKind))

function isKind(kind: number): kind is PeerFrameKind {
  return kinds.has(kind)
}

/** The buffers of one frame, payload untouched, ready for a corked socket. */
export function encodePeerFrame(kind: PeerFrameKind, meta: unknown, payload: readonly Uint8Array[]): Uint8Array[] {
  const packed = pack(meta)
  let payloadBytes = 0
  for (const part of payload) payloadBytes += part.byteLength
  const head = Buffer.allocUnsafe(HEAD_BYTES + packed.byteLength)
  head.writeUInt32BE(3 + packed.byteLength + payloadBytes, 0)
  head.writeUInt8(kind, 4)
  head.writeUInt16BE(packed.byteLength, 5)
  packed.copy(head, HEAD_BYTES)
  return payloadBytes === 0 ? [head] : [head, ...payload]
}

/**
 * What a peer sent, as the type that this format version declares for it. Peers passed the handshake of the version, so
 * the shape is fixed by it; numbers and bytes are still checked by whoever uses them. The only place that believes so.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names what it expects
export function fromPeer<Shape>(value: unknown): Shape {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return value as Shape
}

/** Cuts a stream of bytes into frames. Pure: bytes in, frames out; throws `PEER_BAD_FRAME` on what no peer sends. */
export class PeerFrameSplitter {
  readonly #maxFrameBytes: number
  #chunks: Buffer[] = []
  #buffered = 0

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  push(chunk: Buffer): PeerFrame[] {
    const frames: PeerFrame[] = []
    this.#chunks.push(chunk)
    this.#buffered += chunk.byteLength
    for (;;) {
      if (this.#buffered < 4) return frames
      const length = this.#peek(4).readUInt32BE(0)
      if (length < 3 || length > this.#maxFrameBytes) {
        throw peerErrors.create('PEER_BAD_FRAME', `a peer sent a frame of ${length} bytes`)
      }
      if (this.#buffered < 4 + length) return frames
      frames.push(parse(this.#take(4 + length)))
    }
  }

  /** A view of the first `length` bytes, joined if they lie in several chunks. */
  #peek(length: number): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && first.byteLength >= length) return first
    const joined = Buffer.concat(this.#chunks, this.#buffered)
    this.#chunks = [joined]
    return joined
  }

  #take(length: number): Buffer {
    const whole = this.#joined(length)
    this.#buffered -= length
    return whole
  }

  /** Removes `length` bytes from the front; copies only when a frame spans chunks. */
  #joined(length: number): Buffer {
    const first = this.#chunks[0]
    if (first !== undefined && first.byteLength >= length) {
      if (first.byteLength === length) this.#chunks.shift()
      else this.#chunks[0] = first.subarray(length)
      return first.subarray(0, length)
    }
    const target = uncountedMemory(length)
    let filled = 0
    while (filled < length) {
      const chunk = this.#chunks[0]
      if (chunk === undefined) throw peerErrors.create('PEER_BAD_FRAME', 'a frame ended early')
      const used = Math.min(chunk.byteLength, length - filled)
      chunk.copy(target, filled, 0, used)
      filled += used
      if (used === chunk.byteLength) this.#chunks.shift()
      else this.#chunks[0] = chunk.subarray(used)
    }
    return target
  }
}

function parse(frame: Buffer): PeerFrame {
  const kind = frame.readUInt8(4)
  const metaLength = frame.readUInt16BE(5)
  if (!isKind(kind) || HEAD_BYTES + metaLength > frame.byteLength) {
    throw peerErrors.create('PEER_BAD_FRAME', `a peer sent a frame of kind ${kind} with ${metaLength} bytes of meta`)
  }
  let meta: unknown
  try {
    meta = unpack(frame.subarray(HEAD_BYTES, HEAD_BYTES + metaLength))
  } catch (error) {
    throw peerErrors.create('PEER_BAD_FRAME', 'a peer sent a frame whose meta does not decode', error)
  }
  return { kind, meta, payload: frame.subarray(HEAD_BYTES + metaLength) }
}
