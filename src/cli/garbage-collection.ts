/**
 * When a node's process marks its whole heap. Most bytes that a node meets live outside V8's heap for some milliseconds,
 * what sockets read above all. V8 counts them, and what grows by a fraction of the heap is soon there again at a hundred
 * megabytes a second. A node's heap is small, so letting it more than double costs little memory.
 */
import { setFlagsFromString } from 'node:v8'

/** By how many percent of what lives the old generation may grow until it is marked again. */
const GROWTH_PERCENT = 100

/** V8's words for the same: who starts Node with one of them has decided. */
const DECIDED = /^--(?:heap-growing-percent|initial-(?:old-space|heap)-size)\b/

/** `nodeArguments`: what Node itself was started with, `process.execArgv`. */
export function markTheHeapSeldom(nodeArguments: readonly string[], setFlag = setFlagsFromString): void {
  if (!nodeArguments.some((argument) => DECIDED.test(argument))) setFlag(`--heap-growing-percent=${GROWTH_PERCENT}`)
}
