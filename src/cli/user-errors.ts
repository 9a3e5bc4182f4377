/** What went wrong, as one clear line for the person at the terminal. */
import { errorCode, errorMessage } from '../lib/errors.ts'

interface SystemFacts {
  readonly path: string
  readonly address: string
}

const systemErrors: Readonly<Record<string, (facts: SystemFacts) => string>> = {
  EADDRINUSE: ({ address }) => `port in use: ${address}; another process listens there`,
  EADDRNOTAVAIL: ({ address }) => `cannot listen on ${address}: this machine does not have that address`,
  EACCES: ({ path, address }) =>
    `not allowed: ${path === '' ? address : `${path} cannot be read or written by this user`}`,
  EPERM: ({ path, address }) =>
    `not allowed: ${path === '' ? address : `${path} cannot be read or written by this user`}`,
  EROFS: ({ path }) => `${path} is on a file system that is read-only`,
  ENOENT: ({ path }) => `${path} does not exist`,
  ENOTDIR: ({ path }) => `${path} is not in a folder: a part of it is a file`,
  EISDIR: ({ path }) => `${path} is a folder, not a file`,
  EEXIST: ({ path }) => `${path} is there already, and is not what it should be`,
  ENOSPC: ({ path }) => `no room on the disk${path === '' ? '' : `: ${path}`}`,
  EMFILE: () => 'out of file descriptors: raise the limit (ulimit -n)',
  ECONNREFUSED: ({ address }) => `nothing answers at ${address}`,
  ENOTFOUND: ({ address }) => `no such host: ${address}`,
  ETIMEDOUT: ({ address }) => `no answer from ${address} in time`,
  LEVEL_LOCKED: ({ path }) => `the folder is in use by another process${path === '' ? '' : `: ${path}`}`,
}

/**
 * One line (for several impossible options: one each) without a stack trace. The innermost cause that has a code of the
 * system or of ours says it best; `verbose` adds the stacks.
 */
export function describeError(thrown: unknown, verbose = false): string {
  return verbose && thrown instanceof Error ? stacks(thrown) : say(thrown)
}

function say(thrown: unknown): string {
  const described = describeSystem(thrown)
  if (described !== undefined) return described
  const message = errorMessage(thrown)
  const cause = thrown instanceof Error ? thrown.cause : undefined
  const why = describeSystem(cause)
  if (why === undefined) return message
  // What the system said of itself is put into words where it stands; a message that left it out gets them added.
  const raw = errorMessage(cause)
  const address = addressOf(cause)
  if (errorCode(cause) === 'EADDRINUSE' && address !== '' && message.replace(raw, '').includes(address)) {
    // The address was said: once is enough.
    return message.replace(raw, 'the port is in use by another process')
  }
  return message.includes(raw) ? message.replace(raw, why) : `${message}: ${why}`
}

function describeSystem(thrown: unknown): string | undefined {
  const describe = systemErrors[errorCode(thrown) ?? '']
  return describe?.({ path: textOf(thrown, 'path'), address: addressOf(thrown) })
}

function addressOf(thrown: unknown): string {
  const host = textOf(thrown, 'address') || textOf(thrown, 'hostname')
  const port = textOf(thrown, 'port')
  return port === '' ? host : `${host}:${port}`
}

function textOf(thrown: unknown, key: string): string {
  if (typeof thrown !== 'object' || thrown === null) return ''
  const value = new Map<string, unknown>(Object.entries(thrown)).get(key)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

function stacks(error: Error): string {
  const own = error.stack ?? error.message
  return error.cause instanceof Error ? `${own}\ncaused by ${stacks(error.cause)}` : own
}
