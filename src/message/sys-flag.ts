/**
 * Bits of a record's `sysFlag` (RocketMQ MessageSysFlag).
 *
 * | bits | meaning |
 * | --- | --- |
 * | 0 | body is compressed |
 * | 1 | several tags |
 * | 2–3 | transaction: 0 none, 1 prepared, 2 committed, 3 rolled back |
 * | 4, 5 | born host, store host is IPv6 |
 * | 6, 7 | batch record: to be unwrapped, inner batch |
 * | 8–10 | compression: 0 ZLIB (old clients), 1 LZ4, 2 ZSTD, 3 ZLIB |
 */
export const SysFlag = {
  compressed: 0x1,
  multiTags: 0x2,
  transactionPrepared: 0x4,
  transactionCommit: 0x8,
  transactionRollback: 0xc,
  bornHostV6: 0x10,
  storeHostV6: 0x20,
  needUnwrap: 0x40,
  innerBatch: 0x80,
  compressionLz4: 0x100,
  compressionZstd: 0x200,
  compressionZlib: 0x300,
} as const

/** Both transaction bits; equals `transactionRollback`. */
export const TRANSACTION_MASK = 0xc
export const COMPRESSION_MASK = 0x700

/** The transaction bits alone: 0, or one of the three `transaction…` values. */
export function transactionType(sysFlag: number): number {
  return sysFlag & TRANSACTION_MASK
}

/** `sysFlag` with its transaction bits replaced by `type`. */
export function withTransactionType(sysFlag: number, type: number): number {
  return (sysFlag & ~TRANSACTION_MASK) | type
}

/** Whether a record takes a place in its queue: a prepared or rolled back half does not (RocketMQ CommitLog). */
export function takesQueueOffset(sysFlag: number): boolean {
  const type = sysFlag & TRANSACTION_MASK
  return type === 0 || type === SysFlag.transactionCommit
}
