/** The kinds of values that only broker properties have. */
import { integer, option, string, type Option, type OptionScope } from '../../lib/options.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/** A member of the group, at the address that the others are told. */
export interface PeerPlace extends Address {
  readonly id: string
}

interface Row<T> {
  readonly default: T
  readonly defaultDoc?: string
  readonly scope?: OptionScope
  readonly doc: string
}

/** Ids that DLedger takes: the number makes the brokerId a follower registers with. */
export const NODE_ID = /^n\d{1,4}$/
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)$/

/** `host:port`; an IPv6 address in brackets. Undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const colon = text.lastIndexOf(':')
  const [host, port] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)]
  if (!HOST.test(host) || !/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return undefined
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(port) }
}

export const formatAddress = ({ host, port }: Address): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

export const port = (row: Row<number>): Option<number> => integer({ ...row, min: 1, max: 65_535 })

export const address = (row: Row<Address>): Option<Address> =>
  option({ ...row, allowed: 'an address host:port', parse: parseAddress, format: formatAddress })

/** `a:9876;b:9876`. */
export const addresses = (row: Row<readonly Address[]>): Option<readonly Address[]> =>
  option({
    ...row,
    allowed: 'addresses host:port with ";" between them',
    parse: (text) => every(text, ';', parseAddress),
    format: (value) => value.map(formatAddress).join(';'),
  })

/** DLedger's form: `n0-127.0.0.1:40911;n1-…`. */
export const peerPlaces = (row: Row<readonly PeerPlace[]>): Option<readonly PeerPlace[]> =>
  option({
    ...row,
    allowed: 'n0-host:port;n1-host:port;… with ids and addresses that differ, seven members at most',
    parse: (text) => {
      const peers = every(text, ';', (part) => parsePlace(part, '-'))
      return peers !== undefined && peers.length <= 7 && distinct(peers) ? peers : undefined
    },
    format: (value) => value.map((peer) => `${peer.id}-${formatAddress(peer)}`).join(';'),
  })

/** Where this node dials a given peer: `n1=127.0.0.1:7001;…`. */
export const dialAddresses = (row: Row<readonly PeerPlace[]>): Option<readonly PeerPlace[]> =>
  option({
    ...row,
    allowed: 'n1=host:port;n2=host:port;… with ids that differ',
    parse: (text) => {
      const peers = every(text, ';', (part) => parsePlace(part, '='))
      return peers !== undefined && new Set(peers.map(({ id }) => id)).size === peers.length ? peers : undefined
    },
    format: (value) => value.map((peer) => `${peer.id}=${formatAddress(peer)}`).join(';'),
  })

/** A file name's worth of text, as RocketMQ allows in names of brokers and clusters. */
export const name = (row: Row<string>): Option<string> =>
  string({
    ...row,
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,126}$/,
    allowed: 'a name of letters, digits, ".", "_" and "-", 127 characters at most',
  })

/** Hours of the day: `04`, or `04;16`. */
export const hours = (row: Row<readonly number[]>): Option<readonly number[]> =>
  option({
    ...row,
    allowed: 'hours from 00 to 23 with ";" between them',
    parse: (text) => every(text, ';', (part) => (/^([01]?\d|2[0-3])$/.test(part) ? Number(part) : undefined)),
    format: (value) => value.map((hour) => String(hour).padStart(2, '0')).join(';'),
  })

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
]

/** RocketMQ's delay levels, `1s 5s … 2h`, as milliseconds; the first is level 1. */
export const delays = (row: Row<readonly number[]>): Option<readonly number[]> =>
  option({
    ...row,
    allowed: 'delays such as 1s, 10m, 2h, 1d with a space between them',
    parse: (text) => every(text, /\s+/, parseDelay),
    format: (value) => value.map(formatDelay).join(' '),
  })

function parseDelay(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const ms = UNITS.find(([name]) => name === unit)?.[1]
  return ms === undefined || Number(count) === 0 ? undefined : Number(count) * ms
}

function formatDelay(ms: number): string {
  const [unit, size] = UNITS.find(([, size]) => ms % size === 0) ?? ['s', 1000]
  return `${ms / size}${unit}`
}

function parsePlace(text: string, separator: string): PeerPlace | undefined {
  const at = text.indexOf(separator)
  const id = text.slice(0, Math.max(at, 0)).trim()
  const place = parseAddress(text.slice(at + 1).trim())
  return NODE_ID.test(id) && place !== undefined ? { id, ...place } : undefined
}

function distinct(peers: readonly PeerPlace[]): boolean {
  return (
    new Set(peers.map(({ id }) => id)).size === peers.length && new Set(peers.map(formatAddress)).size === peers.length
  )
}

function every<T>(text: string, separator: string | RegExp, parse: (part: string) => T | undefined): T[] | undefined {
  const parts = text.split(separator).map((part) => part.trim())
  // A list may end with its separator, as people write them.
  if (parts.at(-1) === '') parts.pop()
  const values = parts.map(parse).filter((value) => value !== undefined)
  return values.length === parts.length && values.length > 0 ? values : undefined
}
