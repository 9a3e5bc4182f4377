/**
 * The environment of a node's process. Most of a node's memory is bytes of the log outside V8's heap, in blocks of a
 * megabyte that come and go. glibc gives such blocks back to the system when they are freed, until it meets the first of
 * them: then it takes them for usual and keeps them (mallopt(3), M_MMAP_THRESHOLD, "dynamic"), up to 32 MiB each and
 * scattered. A threshold that is set stays. Other systems' allocators do not look at these names.
 */
const ALLOCATOR: Readonly<Record<string, string>> = {
  MALLOC_MMAP_THRESHOLD_: '262144',
  MALLOC_TRIM_THRESHOLD_: '262144',
}

/**
 * V8's young generation, in MB of each half. Twice as much holds more that is dead, and buys nothing: what a node makes of
 * a message dies within a turn.
 */
const YOUNG_GENERATION = '--max-semi-space-size'
const YOUNG_GENERATION_MB = 8

/** `given`, and what it does not say itself. */
export function nodeEnvironment(given: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const options = given['NODE_OPTIONS'] ?? ''
  const own = options.includes(YOUNG_GENERATION) ? '' : `${YOUNG_GENERATION}=${YOUNG_GENERATION_MB}`
  return { ...ALLOCATOR, ...given, NODE_OPTIONS: `${options} ${own}`.trim() }
}
