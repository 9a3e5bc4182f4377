/** pino behind `Log`, on standard error: pretty on a terminal, JSON lines otherwise. */
import { pino, type Logger } from 'pino'
import pretty from 'pino-pretty'
import type { Log } from '../lib/log.ts'

export interface PinoLogOptions {
  /** Adds what is only of use to who looks for a fault. */
  readonly verbose: boolean
  readonly isTerminal: boolean
}

/** Lines are written at once: what a node says right before it dies is read. */
export function pinoLog({ verbose, isTerminal }: PinoLogOptions): Log {
  const level = verbose ? 'debug' : 'info'
  const sink = isTerminal
    ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss.l', colorize: true })
    : pino.destination({ dest: 2, sync: true })
  return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, sink))
}

function wrap(logger: Logger): Log {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => wrap(logger.child(fields)),
  }
}
