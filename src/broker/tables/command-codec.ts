/**
 * Table commands as they lie in an entry's command block: msgpack of `[version, table, op, args]`. A build refuses to
 * propose what not every voter understands (`COMMAND_VERSION` in the handshake).
 */
import { pack, unpack } from 'msgpackr'
import { assert } from '../../lib/assert.ts'
import type { Command } from '../needs.ts'
import { COMMAND_VERSION } from '../peers/peer-wire.ts'

/** Tables that came after version 1, with the version that knows them first. */
const firstVersion: Readonly<Record<string, number>> = {
  groupForbidden: 2,
  halves: 2,
  losses: 2,
  mode: 2,
  popCheckpoints: 2,
  requestModes: 2,
  timers: 2,
}

/** The version that a node must understand to apply `command`. */
export function versionOf(command: Command): number {
  return firstVersion[command.table] ?? 1
}

/** The bytes of `command`. `version`: the highest that every voter understands; the command is written in its form. */
export function encodeCommand(command: Command, version: number): Buffer {
  return pack([version, command.table, command.op, command.args])
}

/** The command of a committed entry. Its bytes passed the frame's checksum, so a bad shape is our bug. */
export function decodeCommand(bytes: Uint8Array): Command {
  const decoded: unknown = unpack(bytes)
  assert(Array.isArray(decoded), 'a command is an array')
  const [version, table, op, args] = decoded as unknown[]
  assert(
    typeof version === 'number' && version <= COMMAND_VERSION,
    `command version ${String(version)} is of a newer build`,
  )
  assert(typeof table === 'string' && typeof op === 'string' && Array.isArray(args), 'a command names table, op, args')
  return { table, op, args }
}
