/** When a send is acknowledged, and how much may stand on less than the strictest mode (`docs/durability.md`). */
import { boolean, integer, oneOf } from '../../lib/options.ts'

const KiB = 1024
const MiB = 1024 * KiB

export const durability = {
  flushDiskType: oneOf(['SYNC_FLUSH', 'ASYNC_FLUSH'], {
    default: 'SYNC_FLUSH',
    scope: 'group',
    doc: 'What counts as held: SYNC_FLUSH after an fsync, ASYNC_FLUSH once written (within maxUnflushed…). Of a new group only: afterwards its log says it (`raftmq mode`).',
  }),
  raftReplication: oneOf(['sync', 'async'], {
    default: 'sync',
    scope: 'group',
    doc: 'When a send is acknowledged: sync once a majority holds it, async once the leader does (within maxUnreplicated…). Of a new group only: afterwards its log says it (`raftmq mode`).',
  }),
  raftFlushWhenPeerDown: boolean({
    default: true,
    scope: 'group',
    doc: 'ASYNC_FLUSH: while a member is down and no other can be spared, sends are acknowledged as in SYNC_FLUSH.',
  }),
  maxUnflushedBytes: integer({
    default: 64 * MiB,
    min: 64 * KiB,
    scope: 'group',
    doc: 'ASYNC_FLUSH: bytes written and not yet on disk; at the bound acknowledgements wait for the fsync.',
  }),
  maxUnflushedMs: integer({ default: 500, min: 10, max: 60_000, scope: 'group', doc: 'The same as an age.' }),
  maxUnreplicatedBytes: integer({
    default: 64 * MiB,
    min: 64 * KiB,
    scope: 'group',
    doc: 'raftReplication=async: bytes acknowledged and not yet committed; at the bound acknowledgements wait for the commit.',
  }),
  maxUnreplicatedMs: integer({ default: 1000, min: 10, max: 60_000, scope: 'group', doc: 'The same as an age.' }),
  slowDiskLimitMs: integer({
    default: 500,
    min: 1,
    doc: 'A leader whose fsyncs take longer than so many milliseconds at the 99th percentile hands leadership over.',
  }),
  slowDiskForMs: integer({ default: 2000, min: 100, doc: 'That has to go on for so long, in milliseconds.' }),
} as const
