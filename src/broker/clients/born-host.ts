import { isIPv4 } from 'node:net'
import type { Host } from '../../message/record.ts'
import type { Origin } from '../../remoting/route.ts'

const hosts = new WeakMap<Origin, Host>()

/** Where a message comes from, as records carry it; parsed once a connection. */
export function bornHost(origin: Origin): Host {
  let host = hosts.get(origin)
  if (host === undefined) hosts.set(origin, (host = { ip: ipBytes(origin.remoteHost), port: origin.remotePort }))
  return host
}

/** 4 or 16 bytes of an IP address in text; `0.0.0.0` for anything else. */
export function ipBytes(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number)
  const plain = text.replace(/%.*$/, '')
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return ipBytes(mapped)
  return ipv6Bytes(plain) ?? new Uint8Array(4)
}

function ipv6Bytes(text: string): Uint8Array | undefined {
  const [head = '', tail, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const missing = 8 - before.length - after.length
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = [...before, ...Array.from({ length: missing }, () => '0'), ...after]
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined
  const bytes = new Uint8Array(16)
  groups.forEach((group, at) => {
    const value = Number.parseInt(group, 16)
    bytes[at * 2] = value >>> 8
    bytes[at * 2 + 1] = value & 0xff
  })
  return bytes
}
