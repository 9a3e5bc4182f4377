/** Commands that keep others out while they are queued or in flight. */
import { isModeCommand } from '../group/group-mode.ts'
import type { Command } from '../needs.ts'
import { deletedTopic } from './deleted-topic.ts'
import { busy } from './proposal-outcomes.ts'

export class ExclusiveChanges {
  /** Topics whose deletion is in flight: a record proposed behind it would outlive its queue. */
  readonly #closing = new Set<string>()
  /** The change of the mode that is queued or in flight: of two at once, the first would end what the second began. */
  #modeChange: Command | undefined

  /** Why records of these topics, or the command, cannot be taken now. */
  refusal(records: readonly { readonly topic: string }[], command: Command | undefined): Error | undefined {
    const closing = records.find(({ topic }) => this.#closing.has(topic))
    if (closing !== undefined) return busy(`topic ${closing.topic} is being deleted`)
    if (!isModeCommand(command) || this.#modeChange === undefined) return undefined
    return busy('another change of the mode is under way')
  }

  began(command: Command | undefined): void {
    const deleted = deletedTopic(command)
    if (deleted !== undefined) this.#closing.add(deleted)
    if (isModeCommand(command)) this.#modeChange = command
  }

  /** Whoever asked for it was answered. */
  answered(command: Command | undefined): void {
    const deleted = deletedTopic(command)
    if (deleted !== undefined) this.#closing.delete(deleted)
  }

  /** Its fate is known, or it never came into the log. */
  ended(command: Command | undefined): void {
    if (command === this.#modeChange) this.#modeChange = undefined
  }
}
