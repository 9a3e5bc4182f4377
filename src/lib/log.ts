/**
 * What a room needs of a log. `cli/pino-log.ts` hands in pino; tests hand in `silentLog` or a recorder.
 * Quiet by default: start, role changes, faults. Never one line per message.
 */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  /** A log whose every line carries `fields` too. */
  child(fields: object): Log
}

export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
}
