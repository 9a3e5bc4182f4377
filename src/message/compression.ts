/**
 * Compressed bodies. Producers compress, consumers restore, the broker never looks inside. The type stands in bits 8–10
 * of `sysFlag` (RocketMQ CompressionType); 0 is ZLIB, from clients older than the type.
 */
import zlib from 'node:zlib'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { errorMessage } from '../lib/errors.ts'
import { messageErrors } from './errors.ts'
import { COMPRESSION_MASK, SysFlag } from './sys-flag.ts'

export type CompressionType = 'lz4' | 'zstd' | 'zlib'

interface Codec {
  readonly sysFlag: number
  compress(body: Uint8Array, level: number): Buffer
  restore(body: Uint8Array, maxBytes: number): Buffer
}

const codecs: Readonly<Record<CompressionType, Codec>> = {
  lz4: {
    sysFlag: SysFlag.compressionLz4,
    compress: (body) => compressFrameSync(asBuffer(body)),
    restore(body, maxBytes) {
      const most = lz4FrameBytesMax(body)
      if (most > maxBytes + LZ4_BLOCK_BYTES_MAX) throw new Error(`up to ${most} bytes, more than ${maxBytes}`)
      return decompressFrameSync(asBuffer(body))
    },
  },
  zstd: {
    sysFlag: SysFlag.compressionZstd,
    compress: (body, level) => zstd().zstdCompressSync(body, { params: { [ZSTD_LEVEL]: level } }),
    restore: (body, maxBytes) => zstd().zstdDecompressSync(body, { maxOutputLength: maxBytes }),
  },
  zlib: {
    sysFlag: SysFlag.compressionZlib,
    compress: (body, level) => zlib.deflateSync(body, { level }),
    restore: (body, maxBytes) => zlib.inflateSync(body, { maxOutputLength: maxBytes }),
  },
}

const typeOfBits: Readonly<Record<number, CompressionType>> = { 0: 'zlib', 1: 'lz4', 2: 'zstd', 3: 'zlib' }

/** The bits a compressed body of this type puts into `sysFlag`. */
export function compressionSysFlag(type: CompressionType): number {
  return SysFlag.compressed | codecs[type].sysFlag
}

/** `body`, compressed; `level` (RocketMQ's default 5) has no meaning for lz4. Throws `MESSAGE_COMPRESSION_UNSUPPORTED`. */
export function compressBody(body: Uint8Array, type: CompressionType, level = 5): Buffer {
  return codecs[type].compress(body, level)
}

/**
 * The body as it was before compression; `body` itself when `sysFlag` says that it is not compressed. Throws
 * `MESSAGE_BAD_COMPRESSION` when damaged or over `maxBytes`, `MESSAGE_COMPRESSION_UNSUPPORTED`.
 */
export function restoreBody(body: Buffer, sysFlag: number, maxBytes: number): Buffer {
  if ((sysFlag & SysFlag.compressed) === 0 || body.length === 0) return body
  const bits = (sysFlag & COMPRESSION_MASK) >> 8
  const type = typeOfBits[bits]
  if (type === undefined) throw unsupported(`unknown compression type ${bits}`)
  if (type === 'zstd') zstd()
  let restored: Buffer
  try {
    restored = codecs[type].restore(body, maxBytes)
  } catch (cause) {
    throw badCompression(`a ${type} body cannot be restored: ${errorMessage(cause)}`, cause)
  }
  if (restored.length > maxBytes) throw badCompression(`a ${type} body restores to over ${maxBytes} bytes`)
  return restored
}

/** Whether this Node can compress and restore `type`. */
export function isCompressionSupported(type: CompressionType): boolean {
  return type !== 'zstd' || hasZstd(zlib)
}

const LZ4_MAGIC = 0x184d2204
const LZ4_BLOCK_BYTES_MAX = 4 * 1024 * 1024
const LZ4_BLOCK_BYTES: Readonly<Record<number, number>> = { 4: 65_536, 5: 262_144, 6: 1_048_576, 7: 4_194_304 }

/**
 * The most that an lz4 frame can restore to, from the number and size of its blocks: a few bytes must not claim memory
 * without bound. Frame: magic, flags, block size, [content size], [dictionary id], checksum; blocks; end mark.
 */
function lz4FrameBytesMax(frame: Uint8Array): number {
  const bytes = asBuffer(frame)
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new Error('no lz4 frame')
  const flags = bytes.readUInt8(4)
  const blockBytes = LZ4_BLOCK_BYTES[(bytes.readUInt8(5) >> 4) & 7]
  if (blockBytes === undefined) throw new Error('lz4 block size')
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4)
  let most = 0
  while (at + 4 <= bytes.length) {
    const length = bytes.readUInt32LE(at)
    if (length === 0) break
    const stored = length & 0x7fffffff
    most += length > 0x7fffffff ? stored : Math.min(blockBytes, stored * 255)
    at += 4 + stored + ((flags & 0x10) === 0 ? 0 : 4)
  }
  return most
}

interface Zstd {
  zstdCompressSync(body: Uint8Array, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync(body: Uint8Array, options: { maxOutputLength: number }): Buffer
}

/** ZSTD_c_compressionLevel. */
const ZSTD_LEVEL = 100

function zstd(): Zstd {
  const library: object = zlib
  if (!hasZstd(library)) throw unsupported('this Node version has no zstd')
  return library
}

/** Node 22.15 and later bring the two functions; the types of Node 20, which we build against, do not know them. */
function hasZstd(library: object): library is Zstd {
  return 'zstdCompressSync' in library && 'zstdDecompressSync' in library
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function unsupported(why: string): Error {
  return messageErrors.create('MESSAGE_COMPRESSION_UNSUPPORTED', why)
}

function badCompression(why: string, cause?: unknown): Error {
  return messageErrors.create('MESSAGE_BAD_COMPRESSION', why, cause)
}
