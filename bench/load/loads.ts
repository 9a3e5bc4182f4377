/** The loads that several scenarios use. */
import type { Workload } from './workload.ts'

/** By measurement: more brings no more acknowledgements, only latency. */
export const IN_FLIGHT = 4_096
/** Bytes on their way at most, where messages are large. */
const BYTES_IN_FLIGHT = 16 * 1_024 * 1_024

/** As fast as the cluster takes it. */
export function saturating(name: string, over: Partial<Workload> = {}): Workload {
  const { bodyBytes = 128, clients = 1 } = over
  const inFlight = Math.max(1, Math.min(IN_FLIGHT, Math.floor(BYTES_IN_FLIGHT / bodyBytes)) / clients)
  const defaults = { title: name, clients, inFlight: Math.ceil(inFlight), bodyBytes, warmSeconds: 3, seconds: 8 }
  return { name, ...defaults, ...over }
}

/** At a fixed rate, timed from when each was due; four connections, so that none of them is the limit. */
export function paced(name: string, ratePerSecond: number, over: Partial<Workload> = {}): Workload {
  const defaults = { title: name, clients: 4, inFlight: 10_000, bodyBytes: 128, warmSeconds: 2, seconds: 6 }
  return { name, ratePerSecond, ...defaults, ...over }
}
