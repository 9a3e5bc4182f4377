/**
 * Messages that retention took out of a log after they were in their topic: nobody need be given them any more. Those that
 * wait in RocketMQ's own topics for their time, or for their transaction to end, must outlive it.
 */
import type { Counts } from '../world/counts.ts'
import { folderOf, type Disk } from './disk.ts'
import { naiveRecords, SEGMENT } from './naive-queues.ts'

const WAITING: ReadonlySet<string> = new Set(['SCHEDULE_TOPIC_XXXX', 'rmq_sys_wheel_timer', 'RMQ_SYS_TRANS_HALF_TOPIC'])

export class Dropped {
  readonly #counts: Counts
  readonly #ids = new Set<string>()

  constructor(counts: Counts) {
    this.#counts = counts
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }

  /** A file is about to go; a segment at the front of its log goes by retention, or because it did so elsewhere. */
  unlinking(path: string, { names }: Disk): void {
    const inode = names.get(path)
    const isLater = (other: string): boolean => other > path && folderOf(other) === folderOf(path)
    if (inode === undefined || !SEGMENT.test(path) || ![...names.keys()].some(isLater)) return
    this.#counts.add('dropped segment')
    for (const { topic, body } of naiveRecords(inode.bytes, Infinity)) {
      const text = body.toString('latin1')
      if (!WAITING.has(topic)) this.#ids.add(text.slice(0, Math.max(0, text.indexOf(' '))))
    }
  }
}
