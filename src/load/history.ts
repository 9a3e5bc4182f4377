/**
 * What happened in a run, one event per line (ndjson), appended while it happens and read back as a stream: a run of
 * hours needs no more memory than one of seconds.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { open } from 'node:fs/promises'

/** `producer` and `sequence` name a message; `queue` is `topic@broker@queueId`. Times are monotonic milliseconds. */
export type HistoryEvent =
  | { readonly type: 'sent'; readonly atMs: number; readonly producer: number; readonly sequence: number }
  | {
      readonly type: 'acknowledged'
      readonly atMs: number
      readonly producer: number
      readonly sequence: number
      readonly queue: string
      readonly queueOffset: number
      /** An earlier attempt was undecided: the message may lie twice. */
      readonly mayBeTwice: boolean
    }
  | {
      readonly type: 'failed'
      readonly atMs: number
      readonly producer: number
      readonly sequence: number
      readonly code: string
    }
  | {
      readonly type: 'undecided'
      readonly atMs: number
      readonly producer: number
      readonly sequence: number
      readonly code: string
    }
  | {
      readonly type: 'received'
      readonly atMs: number
      /** Who received it: each reader is checked on its own. */
      readonly reader: string
      readonly producer: number
      readonly sequence: number
      readonly queue: string
      readonly queueOffset: number
    }
  /** Anything else worth a line: a fault injected, a fault healed. */
  | { readonly type: 'note'; readonly atMs: number; readonly text: string }

export interface HistoryWriter {
  append(event: HistoryEvent): void
  /** Everything appended so far is in the file. */
  flush(): void
  close(): void
}

const BUFFER_CHARACTERS = 64 * 1024

/** Appends to the file at `path`, which must not exist yet. */
export function historyWriter(path: string): HistoryWriter {
  const file = openSync(path, 'wx')
  let buffer = ''
  const flush = (): void => {
    if (buffer !== '') writeSync(file, buffer)
    buffer = ''
  }
  return {
    append(event) {
      buffer += `${JSON.stringify(event)}\n`
      if (buffer.length >= BUFFER_CHARACTERS) flush()
    },
    flush,
    close() {
      flush()
      fdatasyncSync(file)
      closeSync(file)
    },
  }
}

/** The events of the file, in order. A last line that was cut off by a crash is left out. */
export async function* readHistory(path: string): AsyncGenerator<HistoryEvent> {
  const file = await open(path)
  try {
    let held: string | undefined
    for await (const line of file.readLines()) {
      if (held !== undefined) yield parseEvent(held)
      held = line
    }
    if (held !== undefined && held.endsWith('}')) yield parseEvent(held)
  } finally {
    await file.close()
  }
}

function parseEvent(line: string): HistoryEvent {
  // Lines were written by `append` from values of this type.
  const event: HistoryEvent = JSON.parse(line)
  return event
}
