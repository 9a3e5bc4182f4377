import type { Command } from '../needs.ts'

/** The topic whose queues end with this command. */
export function deletedTopic(command: Command | undefined): string | undefined {
  if (command?.table !== 'topics' || command.op !== 'delete') return undefined
  const topic = command.args[0]
  return typeof topic === 'string' ? topic : undefined
}
