/** The options that every client has: meaning, default. One table has the limits of all of them. */
import { systemClock } from '../../lib/clock.ts'
import type { Clock } from '../../lib/clock.ts'
import { knownKeys, shapeFault } from '../../lib/known-keys.ts'
import type { KnownKeys } from '../../lib/known-keys.ts'
import { silentLog } from '../../lib/log.ts'
import type { Log } from '../../lib/log.ts'
import { systemRandom } from '../../lib/prng.ts'
import { nodeSockets } from '../../remoting/sockets.ts'
import type { Sockets } from '../../remoting/sockets.ts'
import type { Random } from '../../lib/prng.ts'
import { clientErrors } from './errors.ts'
import { machineIdentity } from './identity.ts'
import type { Identity } from './identity.ts'
import { checkTelemetry } from './telemetry.ts'
import type { OpenTelemetry } from './telemetry.ts'

export interface ClientOptions {
  /** Name servers: `'a:9876;b:9876'`, or a list. */
  readonly namesrv: string | readonly string[]
  /** Added to the client id, for people who look at connections. */
  readonly instanceName?: string
  /** Longest wait for a connection. Default 3,000. */
  readonly connectTimeoutMs?: number
  /** Longest wait for the answer to one request other than send and pull. Default 3,000. */
  readonly requestTimeoutMs?: number
  /** How often brokers are told that this client lives. Default 30,000; a broker forgets a client after 120,000. */
  readonly heartbeatIntervalMs?: number
  /** How often routes are asked for without a reason. Default 30,000. */
  readonly routeRefreshMs?: number
  /** Topics one client may use. Default 4,096. */
  readonly maxTopics?: number
  readonly log?: Log
  readonly clock?: Clock
  readonly random?: Random
  /** Connections of a network that is not the machine's, for tests and simulations. */
  readonly sockets?: Sockets
  /** Address and process that ids are made of, likewise. */
  readonly identity?: Identity
  /**
   * `@opentelemetry/api`: the trace context travels with the messages, and sends and handlers are spans. Default: the
   * installed one, if there is one. False: none.
   */
  readonly openTelemetry?: OpenTelemetry | false
}

/** A part of the table of every client. */
export const clientKeys = {
  namesrv: true,
  instanceName: true,
  connectTimeoutMs: true,
  requestTimeoutMs: true,
  heartbeatIntervalMs: true,
  routeRefreshMs: true,
  maxTopics: true,
  log: true,
  clock: true,
  random: true,
  sockets: true,
  identity: true,
  openTelemetry: true,
} as const satisfies Record<keyof ClientOptions, true>

const adminKeys = knownKeys<ClientOptions>(clientKeys)

type Resolved<Options, Optional extends keyof Options = never> = Required<Omit<Options, Optional>> &
  Pick<Options, Optional>

export type ResolvedClientOptions = Resolved<Omit<ClientOptions, 'namesrv'>, 'instanceName' | 'openTelemetry'> & {
  readonly namesrv: readonly string[]
}

const clientDefaults = {
  connectTimeoutMs: 3_000,
  requestTimeoutMs: 3_000,
  heartbeatIntervalMs: 30_000,
  routeRefreshMs: 30_000,
  maxTopics: 4_096,
} as const

/** Lowest and highest value of every number; `real` may be infinite or fractional. */
const ranges: Readonly<Record<string, { readonly low: number; readonly high: number; readonly real?: boolean }>> = {
  connectTimeoutMs: { low: 1, high: 600_000 },
  requestTimeoutMs: { low: 1, high: 600_000 },
  heartbeatIntervalMs: { low: 10, high: 100_000 },
  routeRefreshMs: { low: 10, high: 3_600_000 },
  maxTopics: { low: 1, high: 1_000_000 },
  sendTimeoutMs: { low: 1, high: 3_600_000 },
  attemptTimeoutMs: { low: 1, high: 600_000 },
  retries: { low: 0, high: 1_000 },
  compressOverBytes: { low: 0, high: Number.POSITIVE_INFINITY, real: true },
  compressionLevel: { low: 0, high: 9 },
  maxBodyBytes: { low: 1, high: 16 * 1024 * 1024 },
  maxInFlight: { low: 1, high: 10_000_000 },
  maxInFlightBytes: { low: 1, high: 2 ** 40 },
  autoCreateQueues: { low: 1, high: 1_024 },
  maxMessages: { low: 1, high: 4_096 },
  maxBytes: { low: 1, high: 4 * 1024 * 1024 },
  lingerMs: { low: 0, high: 60_000 },
  concurrency: { low: 1, high: 100_000 },
  pullBatch: { low: 1, high: 1_024 },
  maxMessagesPerQueue: { low: 1, high: 1_000_000 },
  maxBytesPerQueue: { low: 1, high: 2 ** 40 },
  maxSpanPerQueue: { low: 1, high: 1_000_000 },
  maxReconsumeTimes: { low: 0, high: 2_147_483_647 },
  retryPauseMs: { low: 10, high: 30_000 },
  handlerTimeoutMs: { low: 1, high: 86_400_000 },
  commitIntervalMs: { low: 1, high: 3_600_000 },
  rebalanceIntervalMs: { low: 10, high: 3_600_000 },
  suspendTimeoutMs: { low: 1, high: 300_000 },
  closeTimeoutMs: { low: 0, high: 3_600_000 },
  pollBatch: { low: 1, high: 65_536 },
  popBatch: { low: 1, high: 32 },
  invisibleMs: { low: 1_000, high: 86_400_000 },
  pollMs: { low: 0, high: 60_000 },
}

/** The options of a client that has no others. Errors: `CLIENT_OPTION`. */
export function resolveAdminOptions(options: ClientOptions): ResolvedClientOptions {
  checkKeys(options, 'an admin client', adminKeys)
  return resolveClientOptions(options)
}

/** Errors: `CLIENT_OPTION`. */
export function resolveClientOptions(options: ClientOptions): ResolvedClientOptions {
  const { namesrv, instanceName, ...rest } = options
  const {
    log = silentLog,
    clock = systemClock,
    random = systemRandom,
    sockets = nodeSockets,
    identity = machineIdentity(),
  } = rest
  const world = { log, clock, random, sockets, identity }
  const resolved = { ...clientDefaults, ...given(rest), ...world, namesrv: namesrvAddresses(namesrv) }
  checkRanges(resolved)
  checkTelemetry(rest.openTelemetry)
  return instanceName === undefined ? resolved : { ...resolved, instanceName }
}

/** The addresses of `'a:9876;b:9876'`. */
export function namesrvAddresses(namesrv: string | readonly string[]): readonly string[] {
  const parts = typeof namesrv === 'string' ? namesrv.split(';') : (namesrv ?? [])
  if (!Array.isArray(parts) || parts.some((part) => typeof part !== 'string')) {
    throw clientErrors.create('CLIENT_OPTION', 'namesrv: that is neither text nor a list of texts')
  }
  const addresses = parts.map((part) => part.trim()).filter((part) => part !== '')
  if (addresses.length === 0) throw clientErrors.create('CLIENT_OPTION', 'namesrv: no address given')
  for (const address of addresses) {
    const port = Number(/^(?:\[[^\]]+\]|[^:\s]+):(\d{1,5})$/.exec(address)?.[1])
    if (!(port >= 1 && port <= 65_535)) {
      throw clientErrors.create('CLIENT_OPTION', `namesrv: ${JSON.stringify(address)} is not host:port`)
    }
  }
  return [...new Set(addresses)]
}

/** Errors: `CLIENT_OPTION` for what is no object, or has a key that nobody reads. */
export function checkKeys(options: unknown, owner: string, known: KnownKeys): void {
  const fault = shapeFault(options, owner, known)
  if (fault !== undefined) throw clientErrors.create('CLIENT_OPTION', fault)
}

/** Errors: `CLIENT_OPTION`. */
export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw clientErrors.create('CLIENT_OPTION', `${name}: that is no function`)
}

export function checkRanges(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const range = Object.hasOwn(ranges, name) ? ranges[name] : undefined
    if (range === undefined) continue
    const isFit =
      typeof value === 'number' &&
      value >= range.low &&
      value <= range.high &&
      (range.real === true || Number.isInteger(value))
    if (isFit) continue
    const kind = range.real === true ? 'a number' : 'an integer'
    throw clientErrors.create('CLIENT_OPTION', `${name}: ${String(value)} is not ${kind} in ${range.low}–${range.high}`)
  }
}

export function checkOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw clientErrors.create('CLIENT_OPTION', `${name}: ${value} is not one of ${allowed.join(', ')}`)
  }
}

/** `options` without those that are `undefined`: an option given as undefined means its default. */
export function given<Options extends object>(options: Options): Defined<Options> {
  const rows = Object.entries(options).filter(([, value]) => value !== undefined)
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the filter above is what the type says
  return Object.fromEntries(rows) as Defined<Options>
}

type Defined<Options> = { [Name in keyof Options]: Exclude<Options[Name], undefined> }
