/** What one connection may hold. Every figure is an option of whoever listens or dials. */
export interface ConnectionLimits {
  /** Largest frame read, with its length word. */
  readonly frameBytesMax: number
  /** Requests of the peer that wait for their answer here, parked pulls included; above, its bytes are not read on. */
  readonly requestsInFlightMax: number
  /** Bytes of those requests; above, the peer's bytes are not read on. */
  readonly requestBytesInFlightMax: number
  /** Bytes of its one-way requests that are still being handled; above, its bytes are not read on. */
  readonly onewayBytesHeldMax: number
  /** Requests of ours that wait for the peer's answer; one more is refused. */
  readonly invocationsMax: number
  /** Bytes on the way to the peer; above, its bytes are not read on. */
  readonly outgoingBytesSoftMax: number
  /** Bytes on the way to the peer; above, a request of ours is refused. */
  readonly outgoingBytesRequestMax: number
  /** Bytes on the way to the peer; above, the connection is closed. */
  readonly outgoingBytesHardMax: number
  /** For how long the peer may keep more than the soft maximum waiting before the connection is closed. */
  readonly slowReaderMs: number
  /** Without a byte in either direction for this long, the connection is closed (RocketMQ serverChannelMaxIdleTimeSeconds). */
  readonly idleMs: number
}

export const defaultConnectionLimits: ConnectionLimits = {
  frameBytesMax: 16_777_216,
  requestsInFlightMax: 65_536,
  requestBytesInFlightMax: 33_554_432,
  onewayBytesHeldMax: 262_144,
  invocationsMax: 65_536,
  outgoingBytesSoftMax: 4_194_304,
  outgoingBytesRequestMax: 33_554_432,
  outgoingBytesHardMax: 67_108_864,
  slowReaderMs: 30_000,
  idleMs: 120_000,
}

/** How often deadlines are looked at: timeouts come up to this much late. */
export const SWEEP_MS = 100
